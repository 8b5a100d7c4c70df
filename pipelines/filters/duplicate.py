"""`duplicate`: the same line stands in a better row. Spaces, punctuation and case do not tell lines apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.scores import rank, trusted

SEPARATORS = re.compile(r"[\W_]+")


def check(rows: Sequence[Mapping[str, Any]], limits: Limits) -> list[str | None]:
    """For each row the id of the better row with the same line, or None. Trusted rows win, then the higher rank."""
    first: dict[str, str] = {}
    evidence: list[str | None] = [None] * len(rows)
    for index in sorted(range(len(rows)), key=lambda index: _order(rows[index], limits, index)):
        row = rows[index]
        line = SEPARATORS.sub("", row["ad_copy"]).casefold()
        if line in first:
            evidence[index] = f"same as {first[line]}"
        else:
            first[line] = row["id"]
    return evidence


def _order(row: Mapping[str, Any], limits: Limits, index: int) -> tuple[bool, float, int]:
    is_trusted = trusted(row, limits)
    return (not is_trusted, 0.0 if is_trusted else -rank(row, limits), index)
