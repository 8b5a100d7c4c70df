"""`length`: the line is too short to say anything or too long to be one breath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "length",
    "길이",
    "정한 글자 수보다 짧거나 깁니다.",
    "Shorter or longer than the limits.",
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`61 > 60 characters`, `2 < 4 characters`, or None."""
    length = len(row["ad_copy"])
    if length < limits.min_chars:
        return f"{length} < {limits.min_chars} characters"
    return f"{length} > {limits.max_chars} characters" if length > limits.max_chars else None
