"""`refusal`: the teacher, or its provider, would not write; the row holds what it said instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.endpoint.answers.json_answers import is_refusal
from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "refusal",
    "쓰기를 거절함",
    "교사 모델이나 그 제공자가 쓰기를 거절했습니다.",
    "The teacher or its provider declined to write.",
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """What was said, `no line` where nothing was (a provider's content filter), or None."""
    line = row["ad_copy"]
    if not line:
        return "no line"
    return str(line) if row["source"] == "synthesised" and is_refusal(line) else None
