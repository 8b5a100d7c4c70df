"""`outranked`: the teacher wrote better lines for the same pair. Nothing is wrong with these: they are candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.scores import rank


def check(rows: Sequence[Mapping[str, Any]], limits: Limits) -> list[str | None]:
    """For each synthesised row beyond the best `keep_per_pair` of its pair its place, e.g. `place 2 of 4`."""
    pairs: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row["source"] == "synthesised":
            pairs[row["product"], tuple(sorted(row["values"]))].append(index)
    evidence: list[str | None] = [None] * len(rows)
    for members in pairs.values():
        members.sort(key=lambda index: (-rank(rows[index], limits), index))
        for place, index in enumerate(members[limits.keep_per_pair :], limits.keep_per_pair + 1):
            evidence[index] = f"place {place} of {len(members)}"
    return evidence


def place_of(evidence: str) -> int:
    """The place that the evidence names, from 1."""
    return int(evidence.split()[1])
