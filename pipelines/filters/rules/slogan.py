"""`slogan`: the line is a real slogan, quotes one, or is one with a word exchanged or some letters changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "slogan",
    "실제 슬로건과 닮음",
    "기존 광고 문구를 그대로 옮겼거나 거의 같습니다.",
    "Quotes or closely resembles a real slogan.",
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`0.82 like 여행은 살아보는 거야`, or None."""
    return limits.slogans.like(row["ad_copy"], limits.max_slogan_similarity)
