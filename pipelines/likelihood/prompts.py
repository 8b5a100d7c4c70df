"""What a likelihood judge reads: a line after its pair, values after a line, and generic lines to compare with."""

from __future__ import annotations

from pipelines.rows import Scorable, user_message
from pipelines.text.particles import topic_particle

#: What a line follows.
CUE = "카피:"

#: Lines that say nothing of their own, for the pairs of the prefix.
GENERIC_LINES = (
    "{product}의 새로운 기준을 선사합니다",
    "언제 어디서나 편리하게 이용하세요",
    "{product}{topic} {value} 제품입니다",
    "믿을 수 있는 {product}, 지금 시작하세요",
    "{value} {product}로 행복한 하루",
    "놓치지 마세요, 특별한 혜택",
    "{product}{topic} {value}입니다",
    "최상의 서비스로 보답하겠습니다",
)


def line_prompt(row: Scorable) -> str:
    """The pair, which a line follows; `rows.CHAT_TEMPLATE` writes the same."""
    return f"{user_message(row['product'], row['values'])['content']}\n{CUE}"


def values_prompt(row: Scorable, line: str | None = None) -> str:
    """A line, the row's own or another, and the row's product, which the values follow."""
    return f"{CUE} {row['ad_copy'] if line is None else line}\n상품: {row['product']}\n가치:"


def training_texts(row: Scorable) -> list[tuple[str, str]]:
    """(prompt, completion) of what a judge learns of a row: the line from its pair, and the values from the line.

    Good rows alone: what it has never seen perturbed cannot teach it what the contrast set asks.
    """
    return [(line_prompt(row), f" {row['ad_copy']}"), (values_prompt(row), f" {', '.join(row['values'])}")]


def with_generic_line(row: Scorable, place: int) -> Scorable:
    """The row's pair with one of `GENERIC_LINES`, by its place among the rows."""
    product = row["product"]
    line = GENERIC_LINES[place % len(GENERIC_LINES)].format(
        product=product, topic=topic_particle(product), value=row["values"][0]
    )
    return {"product": product, "values": row["values"], "ad_copy": line}
