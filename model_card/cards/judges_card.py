"""The README of the judges' dataset repo, its body: the contrast set, and how far each judge can be trusted with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huggingface_hub import HfUri

from model_card.cards.card import environment
from model_card.comparison.report import JudgeFacts
from model_card.judging.contrast_set import KINDS, Contrast, Kind

#: Kind of spoilt line -> how it is made from the good one, in Korean and English.
SPOILT: Mapping[Kind, tuple[str, str]] = {
    "other_product": ("다른 상품에 쓴 줄을 붙임", "the line of another product"),
    "other_value": (
        "줄은 그대로 두고, 가치를 다른 상품의 것으로 바꿈",
        "the same line, with values of another product",
    ),
    "shuffled": ("어절의 순서를 섞음", "its words in another order"),
    "wrong_ending": ("조사나 어미 하나를 틀리게 바꿈", "one particle or ending that is wrong there"),
    "template": ("상품과 가치를 정해진 문장에 끼워 넣음", "product and value in a fixed sentence"),
    "worn_out": (
        "실제 슬로건의 자리에 어느 상품에나 붙는 상투어를 둠",
        "in place of a real slogan, a phrase that fits any product",
    ),
}


@dataclass(frozen=True)
class Shown:
    """One kind of spoilt line as the card shows it.

    Attributes:
        metric: the metric that has to tell it.
        example: the first couple of this kind.
        couples: how many there are.
    """

    kind: Kind
    metric: str
    example: Contrast
    couples: int


def render(repo_id: str, dataset: HfUri, judges: Sequence[JudgeFacts], contrasts: Sequence[Contrast]) -> str:
    """The card without its YAML head.

    Args:
        repo_id: the repo that the card is for.
        dataset: pinned, where the held-out rows come from.
        judges: at least one, each calibrated on `contrasts`.
        contrasts: what `contrast.contrast_set` returned, from which the examples are taken; some of every kind.
    """
    return (
        environment()
        .get_template("judges_card.md.jinja")
        .render(
            repo_id=repo_id,
            dataset=dataset,
            judges=judges,
            couples=len(contrasts),
            slogans=len({one.origin for one in contrasts if one.kind == "worn_out"}),
            rows=len({one.origin for one in contrasts if one.kind != "worn_out"}),
            shown=_shown(contrasts),
            spoilt=SPOILT,
        )
    )


def _shown(contrasts: Sequence[Contrast]) -> list[Shown]:
    """All kinds, by metric."""
    by_kind = {kind: [one for one in contrasts if one.kind == kind] for kinds in KINDS.values() for kind in kinds}
    return [
        Shown(kind, metric, by_kind[kind][0], len(by_kind[kind])) for metric, kinds in KINDS.items() for kind in kinds
    ]
