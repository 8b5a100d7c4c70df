"""`held_out` and `judge`: lines that models wrote measure no models, and are released on a judge's word alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.rows import split_of

HELD_OUT = Reason(
    "held_out",
    "평가용 상품",
    "검증·시험 분할의 상품으로 합성한 카피입니다. 두 분할에는 새로 쓰거나 가져온 카피만 둡니다.",
    "A model wrote it for a product of the split `validation` or `test`, which hold written and imported lines alone.",
)
JUDGE = Reason(
    "judge",
    "채점 기준 미달",
    "채점 모델이 쓸 만하다고 본 확률이 기준보다 낮거나, 믿을 만한 기준이 없어 `default`에 넣지 않은 합성 카피입니다.",
    "A model wrote it, and the judge gives it too small a chance of being usable, or has no threshold to be trusted.",
)


def is_synthesised(row: Mapping[str, Any]) -> bool:
    """Whether a model wrote the row; what people wrote or imported is not scored, and no score decides over it."""
    return bool(row["source"] == "synthesised")


def sense(row: Mapping[str, Any]) -> float | None:
    """The judge's P(usable) of a row, 0..1; None where it was not scored."""
    value = (row.get("scores") or {}).get("sense")
    return None if value is None else float(value)


def rank(row: Mapping[str, Any], limits: Limits) -> float:
    """What synthesised lines are ranked by. Where nobody judges, all are equal and the one written first wins.

    Raises:
        ValueError: the row has not been scored.
    """
    return _scored(row) if limits.gated else 0.0


def check(row: Mapping[str, Any], limits: Limits) -> tuple[str, str] | None:
    """(`held_out`, `split test`), (`judge`, `sense 0.12 < 0.55`), or None."""
    if not is_synthesised(row):
        return None
    if (split := split_of(row["product"])) != "train":
        return HELD_OUT.key, f"split {split}"
    if not limits.gated:
        return None
    if limits.min_sense is None:
        return JUDGE.key, f"no threshold of the judge reaches precision {limits.min_precision:g}"
    value = _scored(row)
    return (JUDGE.key, f"sense {value:.3f} < {limits.min_sense:.3f}") if value < limits.min_sense else None


def _scored(row: Mapping[str, Any]) -> float:
    value = sense(row)
    if value is None:
        raise ValueError(f"row {row['id']} has no score `sense`: score the rows before the gate")
    return value
