"""The README of the judges' dataset repo, its body: the contrast set, and how far each judge can be trusted with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huggingface_hub import HfUri

from model_card.cards.card import environment
from model_card.judging.contrast_kinds import CONTRAST_KINDS, ContrastKind
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import JudgeFacts
from pipelines.metrics import METRICS, Metric


@dataclass(frozen=True)
class ShownKind:
    """One kind of perturbed line as the card shows it.

    Attributes:
        metric: the metric that has to tell it.
        example: the first contrast of this kind.
        contrasts: how many there are.
    """

    kind: ContrastKind
    metric: Metric
    example: Contrast
    contrasts: int


def render(repo_id: str, dataset: HfUri, judges: Sequence[JudgeFacts], contrasts: Sequence[Contrast]) -> str:
    """The card without its YAML head.

    Args:
        repo_id: the repo that the card is for.
        dataset: pinned, where the held-out rows come from.
        judges: at least one, each calibrated on `contrasts`.
        contrasts: what `build_contrast_set` returned, from which the examples are taken; some of every kind.
    """
    return (
        environment()
        .get_template("judges_card.md.jinja")
        .render(
            repo_id=repo_id,
            dataset=dataset,
            judges=judges,
            contrasts=len(contrasts),
            slogans=len({one.origin for one in contrasts if one.kind == "worn_out"}),
            rows=len({one.origin for one in contrasts if one.kind != "worn_out"}),
            shown=_shown(contrasts),
        )
    )


def _shown(contrasts: Sequence[Contrast]) -> list[ShownKind]:
    """All kinds, by metric."""
    shown = []
    for metric in METRICS.values():
        for kind in metric.contrasts:
            of_kind = [contrast for contrast in contrasts if contrast.kind == kind]
            shown.append(ShownKind(CONTRAST_KINDS[kind], metric, of_kind[0], len(of_kind)))
    return shown
