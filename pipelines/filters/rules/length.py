"""`length`: the line is too short to say anything or too long to be one breath, or the pair too long to be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "length",
    "길이",
    "카피 길이가 정한 범위를 벗어나거나, 상품이나 가치가 너무 길거나 많습니다.",
    "A line shorter or longer than the limits, a product or value longer, or too many values.",
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`61 > 60 characters`, `2 < 4 characters`, `product: 61 > 60 characters`, `11 > 10 values`, or None."""
    length, product, values = len(row["ad_copy"]), len(row["product"]), row["values"]
    longest = max(map(len, values), default=0)
    if length < limits.min_chars:
        return f"{length} < {limits.min_chars} characters"
    if length > limits.max_chars:
        return f"{length} > {limits.max_chars} characters"
    if product > limits.max_product_chars:
        return f"product: {product} > {limits.max_product_chars} characters"
    if longest > limits.max_value_chars:
        return f"value: {longest} > {limits.max_value_chars} characters"
    return f"{len(values)} > {limits.max_values} values" if len(values) > limits.max_values else None
