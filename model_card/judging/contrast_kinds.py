"""The kinds of bad line in the contrast set: what they are called, and where one comes from."""

from __future__ import annotations

from dataclasses import dataclass

#: The kind without which no judge is reliable: lines as models write them, graded by reading (`graded`).
MODEL_MADE = "model_made"


@dataclass(frozen=True)
class ContrastKind:
    """One kind of bad line: a good one that was perturbed, or what a model wrote.

    Attributes:
        key: its value in the column `kind` of config `contrast`.
        korean, english: what tables and figures call it.
        how_korean, how_english: how it is made from the good line, or where it comes from.
    """

    key: str
    korean: str
    english: str
    how_korean: str
    how_english: str


#: By key. `pipelines.metrics` says which metrics have to tell them.
CONTRAST_KINDS: dict[str, ContrastKind] = {
    kind.key: kind
    for kind in (
        ContrastKind(
            key="other_product",
            korean="다른 상품의 카피",
            english="another product's line",
            how_korean="다른 상품의 카피로 바꿈",
            how_english="the line of another product",
        ),
        ContrastKind(
            key="other_value",
            korean="가치가 다른 카피",
            english="other values",
            how_korean="카피는 그대로 두고 가치를 다른 상품의 것으로 바꿈",
            how_english="the same line, with values of another product",
        ),
        ContrastKind(
            key="shuffled",
            korean="어순을 섞은 카피",
            english="shuffled words",
            how_korean="어절의 순서를 섞음",
            how_english="its words in another order",
        ),
        ContrastKind(
            key="wrong_ending",
            korean="조사·어미가 틀린 카피",
            english="wrong particle or ending",
            how_korean="조사나 어미 하나를 틀리게 바꿈",
            how_english="one particle or ending that is wrong there",
        ),
        ContrastKind(
            key="template",
            korean="상품과 가치를 그대로 옮긴 문장",
            english="product and value in a template",
            how_korean="상품과 가치를 정해진 문장에 끼워 넣음",
            how_english="product and value in a fixed sentence",
        ),
        ContrastKind(
            key="worn_out",
            korean="상투어",
            english="cliché",
            how_korean="실제 슬로건을 어느 상품에나 붙는 상투어로 바꿈",
            how_english="in place of a real slogan, a phrase that fits any product",
        ),
        ContrastKind(
            key=MODEL_MADE,
            korean="쓸 수 없는 모델 카피",
            english="unusable line by a model",
            how_korean="모델이 쓴 카피 가운데 두 번 읽어 두 번 다 못 쓴다고 본 것. 좋은 쪽과 상품이 다를 수 있음",
            how_english="a line by a model that neither of two readings calls usable, as a rule for another product",
        ),
    )
}
