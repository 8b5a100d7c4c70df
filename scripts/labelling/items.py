"""Build the items that people vote on: two lines for one pair, in an order blind to who wrote them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, islice
from typing import Any, Literal

from model_card.comparison.report import Report, System
from model_card.comparison.surface import is_broken
from pipelines.errors import HanjulError
from pipelines.rows import normalise, pair_of


@dataclass(frozen=True)
class Item:
    """Two lines for one pair, which anybody may be asked about.

    Attributes:
        id: 16 hex digits over product, values (blind to their order), line_a and line_b.
        line_a, line_b: sorted.
        system_a, system_b: who wrote them; empty where unknown.
    """

    id: str
    product: str
    values: tuple[str, ...]
    line_a: str
    line_b: str
    system_a: str = ""
    system_b: str = ""

    def side(self, line: str) -> Literal["a", "b"]:
        """Whether this line is line_a or line_b."""
        return "a" if normalise(line) == self.line_a else "b"


@dataclass(frozen=True)
class WrittenLine:
    """One line for a pair, and who wrote it."""

    product: str
    values: tuple[str, ...]
    line: str
    system: str = ""


def make_item(first: WrittenLine, second: WrittenLine) -> Item:
    """Make the item of two lines for one pair, the same whichever comes first.

    Raises:
        HanjulError: a part is empty, the lines are the same, or they are for different pairs.
    """
    product, values = normalise(first.product), tuple(value for value in map(normalise, first.values) if value)
    by_line = {normalise(written.line): written.system for written in (second, first)}
    if not product or not values or not all(by_line):
        raise HanjulError("product, values or a line is empty")
    if len(by_line) == 1:
        raise HanjulError("the two lines are the same")
    if (second.product, sorted(second.values)) != (first.product, sorted(first.values)):
        raise HanjulError("the two lines are for different pairs")
    a, b = sorted(by_line)
    content = json.dumps([product, sorted(values), a, b], ensure_ascii=False)
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Item(digest, product, values, a, b, by_line[a], by_line[b])


def lines_of_reports(reports: Iterable[Report]) -> list[WrittenLine]:
    """The whole lines of evaluations, each with the system that wrote it: name, model and revision."""
    return [
        WrittenLine(line.product, line.values, line.line, _system_name(system))
        for report in reports
        for system in report.systems
        for line in system.lines
        if not line.broken
    ]


def _system_name(system: System) -> str:
    revision = f"@{system.revision[:7]}" if system.revision else ""
    return f"{system.name} ({system.model}{revision})"


def lines_of_rows(rows: Iterable[Mapping[str, Any]]) -> list[WrittenLine]:
    """The lines of dataset rows, each with its teacher, or else its source."""
    return [
        WrittenLine(row["product"], tuple(row["values"]), row["ad_copy"], row.get("teacher") or row.get("source") or "")
        for row in rows
        if not is_broken(row["ad_copy"])
    ]


def pair_lines(
    lines: Iterable[WrittenLine], limit: int | None, seed: int, *, across_systems: bool = True
) -> list[Item]:
    """Items from lines that share a pair, drawn by seed: one of every pair before a second one of any.

    A line that several systems wrote counts as the first one's. Everybody is asked in this order, so that people who
    stop early have voted on the same items.

    Args:
        limit: items at most.
        across_systems: pair lines of different systems only.
    """
    by_pair: dict[Any, dict[str, WrittenLine]] = {}
    for written in lines:
        line = normalise(written.line)
        if line and normalise(written.product) and any(map(normalise, written.values)):
            by_pair.setdefault(pair_of(asdict(written)), {}).setdefault(line, written)
    draw = random.Random(seed)
    per_pair = []
    for pair in sorted(by_pair):
        pairs_of_lines = [
            (one, other)
            for one, other in combinations(by_pair[pair].values(), 2)
            if not across_systems or one.system != other.system
        ]
        draw.shuffle(pairs_of_lines)
        per_pair.append(pairs_of_lines)
    draw.shuffle(per_pair)
    rounds = range(max(map(len, per_pair), default=0))
    in_order = (of_pair[place] for place in rounds for of_pair in per_pair if place < len(of_pair))
    return [make_item(one, other) for one, other in islice(in_order, limit)]


def a_shown_first(items: Sequence[Item], voter: str, seed: int) -> dict[str, bool]:
    """Item id -> whether line a is shown first to this person: for half of the items, drawn by seed and voter."""
    first = [place % 2 == 0 for place in range(len(items))]
    random.Random(f"{seed} {voter}").shuffle(first)
    return {item.id: shown for item, shown in zip(items, first, strict=True)}
