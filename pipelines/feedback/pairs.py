"""Preferences of visitors: a liked line over a disliked one, and an edit over its line.

A line that some like and others dislike says nothing, and neither does one that was shown and neither liked nor
disliked: people press a button or two and leave. A prompt gives a few pairs only, so that nobody teaches a model by
asking for one product.

An edit is one side of a pair and no row. For the greater part it is a model's line; rows of people, which no judge
looks at, are what models are measured by and what judges learn, and are not for strangers to write.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from pipelines.feedback.votes import Vote, as_row
from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.preferences import WORSE
from pipelines.rows import pair_of, row_id, split_of, user_message
from pipelines.text.line_index import Lines

#: Of what becomes of votes; raise it when the same votes give other pairs.
VERSION = 1
#: Why the other line of a pair is worse: somebody disliked it, or wrote it anew.
DISLIKED, EDITED = "disliked", "edited"
REASONS = (DISLIKED, EDITED)
#: Pairs of one product and its values at most.
MOST_PER_PROMPT = 8

Pair = dict[str, Any]


@dataclass(frozen=True)
class Tally:
    """What the cards say: votes that count, each once, and the pairs that came of them."""

    likes: int
    dislikes: int
    edits: int
    pairs: int


@dataclass(frozen=True)
class Preferred:
    """What follows from votes.

    Attributes:
        pairs: rows of config `preferences`.
        beside: ids of the pairs whose lines somebody saw beside each other -> the day of that.
        contested: lines that some like and others dislike.
    """

    pairs: list[Pair]
    beside: Mapping[str, str]
    contested: int

    def tally(self, votes: Iterable[Vote]) -> Tally:
        """Count the votes that they follow from."""
        kinds = Counter(vote.kind for vote in votes)
        return Tally(kinds["like"], kinds["dislike"], kinds["edit"], len(self.pairs))


def preferred(votes: Sequence[Vote]) -> Preferred:
    """The preferences that follow from votes, each of which is there once."""
    opinions = _opinions(votes)
    pairs = _limited(_pairs(votes, opinions))
    contested = sum(len(liked & disliked) for liked, disliked in opinions.values())
    return Preferred(pairs, _seen_together(votes, pairs), contested)


def check_pairs(
    pairs: Iterable[Pair], kept: Sequence[Mapping[str, Any]], limits: Limits
) -> tuple[list[Pair], dict[str, int]]:
    """(pairs that break no rule of a release, reason -> rejected ones).

    Args:
        kept: rows of the release: no line to learn from may be close to one of its test split.
    """
    tested = [row["ad_copy"] for row in kept if split_of(row["product"]) == "test"]
    learnt = limits.model_copy(update={"reserved": Lines([*limits.reserved.lines, *tested])})
    good, rejected = [], Counter[str]()
    for pair in pairs:
        measured = limits if split_of(pair["product"]) == "test" else learnt
        better, worse = (
            first_rule(as_row(pair["product"], pair["values"], pair[side][0]["content"]), measured)[0]
            for side in ("chosen", "rejected")
        )
        if fault := better or ("" if worse in WORSE else worse):
            rejected[fault] += 1
        else:
            good.append(pair)
    return good, dict(rejected)


def _opinions(votes: Iterable[Vote]) -> dict[tuple[Any, ...], tuple[set[str], set[str]]]:
    """Prompt -> (lines that somebody likes, lines that somebody dislikes)."""
    found: dict[tuple[Any, ...], tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for vote in votes:
        liked, disliked = found[vote.prompt]
        if vote.kind != "edit":
            (liked if vote.kind == "like" else disliked).add(vote.line)
    return found


def _pairs(votes: Sequence[Vote], opinions: Mapping[Any, tuple[set[str], set[str]]]) -> Iterator[Pair]:
    """All pairs that the votes give, each once, without those that others contradict."""
    values = {pair_of(asdict(vote)): vote.values for vote in reversed(votes)}
    said: dict[tuple[Any, str, str], str] = {}  # product and values, better, worse -> reason
    for vote in votes:
        if vote.kind == "edit" and vote.edited not in opinions[vote.prompt][1]:
            said.setdefault((pair_of(asdict(vote)), vote.edited, vote.line), EDITED)
    for (*asked_for, _), (liked, disliked) in opinions.items():
        asked = tuple(asked_for)
        for better, worse in product(_few(asked, liked - disliked), _few(asked, disliked - liked)):
            said.setdefault((asked, better, worse), DISLIKED)
    for (asked, better, worse), reason in said.items():
        if (asked, worse, better) not in said:
            yield _pair(asked[0], values[asked], better, worse, reason)


def _few(asked: tuple[Any, ...], lines: Iterable[str]) -> list[str]:
    """As many lines as can be in the pairs of a prompt, by their hash, which nobody chooses."""
    name, values = asked
    return sorted(lines, key=lambda line: row_id(name, values, line))[:MOST_PER_PROMPT]


def _pair(name: str, values: Sequence[str], better: str, worse: str, reason: str) -> Pair:
    chosen, rejected = row_id(name, values, better), row_id(name, values, worse)
    return {
        "id": row_id(name, values, f"{chosen} {rejected}"),
        "product": name,
        "values": list(values),
        "prompt": [user_message(name, values)],
        "chosen": [{"role": "assistant", "content": better}],
        "rejected": [{"role": "assistant", "content": worse}],
        "chosen_id": chosen,
        "rejected_id": rejected,
        "reason": reason,
        "margin": None,
    }


def _limited(pairs: Iterable[Pair]) -> list[Pair]:
    """At most so many pairs of a prompt, whichever adapter wrote: edits first, then by id."""
    by_prompt: dict[tuple[Any, ...], dict[str, Pair]] = defaultdict(dict)
    for pair in pairs:
        by_prompt[pair_of(pair)].setdefault(pair["id"], pair)
    return [
        pair
        for found in by_prompt.values()
        for pair in sorted(found.values(), key=lambda pair: (pair["reason"] != EDITED, pair["id"]))[:MOST_PER_PROMPT]
    ]


def _seen_together(votes: Iterable[Vote], pairs: Iterable[Pair]) -> dict[str, str]:
    """Ids of pairs of a liked and a disliked line that stood beside each other when somebody voted -> the day."""
    days = {
        (pair_of(asdict(vote)), frozenset((vote.line, other))): vote.day
        for vote in votes
        if vote.kind != "edit"
        for other in vote.others
    }
    found = {}
    for pair in pairs:
        lines = frozenset(pair[side][0]["content"] for side in ("chosen", "rejected"))
        if pair["reason"] == DISLIKED and (day := days.get((pair_of(pair), lines))):
            found[pair["id"]] = day
    return found
