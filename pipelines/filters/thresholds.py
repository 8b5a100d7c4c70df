"""`judge`: a score is under its threshold. Written rows are trusted if the limits say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "judge",
    "점수 미달",
    "점수가 기준보다 낮습니다.",
    "A judge's score is under its threshold.",
)


def trusted(row: Mapping[str, Any], limits: Limits) -> bool:
    """Whether a row skips thresholds and ranking: a person wrote it and the limits trust people."""
    return limits.trust_written and row["source"] == "written"


def score(row: Mapping[str, Any], name: str) -> float:
    """One score of a row, 0..1.

    Raises:
        ValueError: the row has not been scored.
    """
    value = (row.get("scores") or {}).get(name)
    if value is None:
        raise ValueError(f"row {row['id']} has no score `{name}`: score the rows before the thresholds are applied")
    return float(value)


def rank(row: Mapping[str, Any], limits: Limits) -> float:
    """What lines are ranked by. Without scores all are equal, and the line that was written first wins."""
    return quality(row) if limits.scored else 0.0


def quality(row: Mapping[str, Any]) -> float:
    """PV times naturalness, so that a line weak in one cannot win by the other.

    Raises:
        ValueError: the row has not been scored.
    """
    return score(row, "pv") * score(row, "naturalness")


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`pv 0.312 < 0.500`, `naturalness 0.120 < 0.300`, or None."""
    if not limits.scored or trusted(row, limits):
        return None
    for name, least in (("pv", limits.min_pv), ("naturalness", limits.min_naturalness)):
        value = score(row, name)
        if value < least:
            return f"{name} {value:.3f} < {least:.3f}"
    return None
