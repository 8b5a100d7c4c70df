"""`contaminated`: the line is one of somebody's evaluation, or close to one.

What is close to a line of our own test split, the selection finds: which lines those are is not known before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "contaminated",
    "평가용 카피와 겹침",
    "평가에 쓰는 카피와 거의 같아, 학습에 섞이면 평가를 믿을 수 없게 됩니다.",
    "Resembles a line kept for evaluation, which training must not see.",
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`0.82 like 월요일도 반쯤은 금요일`, or None."""
    return limits.reserved.like(row["ad_copy"], limits.max_eval_similarity)
