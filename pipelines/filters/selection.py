"""`near_duplicate`, `contaminated`, `template` and `outranked`: whether a line stays depends on those that do.

One pass over the lines from the best to the worst. Each is measured against those that were kept before it, and one
that is not kept counts for nothing: every near-duplicate names a better line that is released, and no line is lost to
one that is lost itself. Lines of the test split come first, and a line of another split that resembles one of them is
contaminated, however good it is. Lines that people call flat come last, and the faultless ones are outranked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.filters.gate import is_synthesised, rank
from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.rules import contaminated, template
from pipelines.rows import pair_of, split_of
from pipelines.text.jaccard_join import gram_sets, similar_sets
from pipelines.text.ngrams import letters

NEAR_DUPLICATE = Reason(
    "near_duplicate",
    "거의 같은 카피",
    "글자가 거의 같은 더 나은 카피가 있습니다.",
    "A better line has almost the same letters.",
)
OUTRANKED = Reason(
    "outranked",
    "더 나은 카피 있음",
    "흠은 없지만 같은 상품과 가치로 쓴 더 나은 카피가 있거나, 기억에 남을 만한 카피가 아닙니다.",
    "Nothing is wrong with it, but a better line was written for the same product and values, or it is marked as flat.",
)

#: Of lines that are alike, those of the first source stay.
SOURCES = ("written", "imported", "synthesised")

Rows = Sequence[Mapping[str, Any]]
#: Places of two rows, and how alike they are in meaning, 0..1.
SimilarPair = tuple[int, int, float]
#: node -> nodes, and how alike they are, in words.
Neighbours = dict[int, list[tuple[int, str]]]


class Decision(NamedTuple):
    """What became of a row; `reason` and `evidence` are empty where it is kept.

    Attributes:
        group_id: id of the kept row whose near-duplicate it is; of a kept row its own id; else empty.
        place: of an outranked line among those of its pair that teachers wrote, or people; the best has 1; else 0.
    """

    reason: str
    evidence: str
    group_id: str
    place: int = 0


def select(rows: Rows, limits: Limits, similar: Sequence[SimilarPair] = ()) -> list[Decision]:
    """A decision for each row.

    Args:
        rows: raw rows; where the limits are gated, synthesised ones have `scores` with `sense`.
        similar: rows that mean the same, found otherwise (see `scripts.filtering.semantic`).
    """
    return _Selection(rows, limits, similar).decisions()


class _Selection:
    """The lines kept so far, and what the next one is measured by.

    A node is a line without spaces and punctuation, in the test split or outside; equal lines are one node.
    """

    def __init__(self, rows: Rows, limits: Limits, similar: Sequence[SimilarPair]) -> None:
        self.rows, self.limits = rows, limits
        self.in_test = [split_of(row["product"]) == "test" for row in rows]
        nodes: dict[tuple[str, bool], int] = {}
        texts = (letters(row["ad_copy"]) for row in rows)
        self.node = [nodes.setdefault(key, len(nodes)) for key in zip(texts, self.in_test, strict=True)]
        lines, apart = [text for text, _ in nodes], [test for _, test in nodes]
        same, close = limits.max_similarity, limits.max_eval_similarity
        sets = gram_sets(lines)
        self.near = _neighbours(similar_sets(sets, same), apart)
        self.close = _neighbours(similar_sets(sets, close, apart)) if any(apart) and not all(apart) else {}
        for left, right, similarity in similar:
            across = self.in_test[left] != self.in_test[right]
            _join(
                self.close if across else self.near, self.node[left], self.node[right], f"{similarity:.2f} in meaning"
            )
        self.kept: dict[int, int] = {}  # node -> row
        self.phrases: Counter[str] = Counter()
        self.most = template.most(self._keepable(), limits)
        # (by a teacher?, *pair) -> faultless lines
        self.pairs: dict[tuple[bool, str, tuple[str, ...]], list[int]] = defaultdict(list)

    def decisions(self) -> list[Decision]:
        found = [Decision("", "", "")] * len(self.rows)
        for index in sorted(range(len(self.rows)), key=self._order):
            found[index] = decision = self._decision(index)
            if not decision.reason:
                self.kept.setdefault(self.node[index], index)
                self.phrases.update(template.phrases(self.rows[index]["ad_copy"]))
        for members in self.pairs.values():
            for place, index in enumerate(members, 1):
                if found[index].reason:
                    found[index] = Decision(OUTRANKED.key, f"place {place} of {len(members)}", "", place)
        return found

    def _order(self, index: int) -> tuple[bool, bool, int, float, int]:
        row = self.rows[index]
        return (
            _is_flat(row),
            not self.in_test[index],
            SOURCES.index(row["source"]),
            -rank(row, self.limits) if is_synthesised(row) else 0.0,
            index,
        )

    def _decision(self, index: int) -> Decision:
        row = self.rows[index]
        if decision := self._contaminated(index) or self._near_duplicate(self.node[index]) or self._overused(row):
            return decision
        by_teacher = is_synthesised(row)
        members = self.pairs[by_teacher, *pair_of(row)]
        members.append(index)
        if _is_flat(row) or (by_teacher and len(members) > self.limits.keep_per_pair):
            return Decision(OUTRANKED.key, "", "")
        return Decision("", "", row["id"])

    def _keepable(self) -> int:
        """How many rows can be kept at most: no flat one, and of the lines of one pair only so many."""
        rows = [row for row in self.rows if not _is_flat(row)]
        pairs = Counter(pair_of(row) for row in rows if is_synthesised(row))
        keep = self.limits.keep_per_pair
        return len(rows) - pairs.total() + sum(min(count, keep) for count in pairs.values())

    def _near_duplicate(self, node: int) -> Decision | None:
        if node in self.kept:
            best = self._id(node)
            return Decision(NEAR_DUPLICATE.key, f"same as {best}", best)
        if not (alike := self._alike(self.near, node)):
            return None
        best = self._id(alike[1])
        return Decision(NEAR_DUPLICATE.key, f"{alike[0]} like {best}", best)

    def _contaminated(self, index: int) -> Decision | None:
        if self.in_test[index] or not (alike := self._alike(self.close, self.node[index])):
            return None
        return Decision(contaminated.REASON.key, f"{alike[0]} like {self._id(alike[1])} of the test split", "")

    def _alike(self, neighbours: Neighbours, node: int) -> tuple[str, int] | None:
        """How alike the kept line is that is most alike, and which it is."""
        kept = [(how, -other) for other, how in neighbours.get(node, ()) if other in self.kept]
        if not kept:
            return None
        how, other = max(kept)
        return how, -other

    def _overused(self, row: Mapping[str, Any]) -> Decision | None:
        for phrase in template.phrases(row["ad_copy"]):
            if self.phrases[phrase] >= self.most:
                return Decision(template.REASON.key, f"{phrase}: in {self.most} lines", "")
        return None

    def _id(self, node: int) -> str:
        return str(self.rows[self.kept[node]]["id"])


def _is_flat(row: Mapping[str, Any]) -> bool:
    return row.get("merit") == "flat"  # rows in pipelines of others have no such column


def _neighbours(pairs: tuple[Any, Any, Any], apart: Sequence[bool] | None = None) -> Neighbours:
    """Nodes that are alike; where `apart` is given, only those on the same side."""
    found: Neighbours = {}
    for left, right, similarity in zip(*(column.tolist() for column in pairs), strict=True):
        if apart is None or apart[left] == apart[right]:
            _join(found, left, right, f"{similarity:.2f}")
    return found


def _join(neighbours: Neighbours, left: int, right: int, how: str) -> None:
    neighbours.setdefault(left, []).append((right, how))
    neighbours.setdefault(right, []).append((left, how))
