"""The README of the judges' dataset repo, its body: how far each judge can be trusted, by what lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huggingface_hub import HfUri

from model_card.cards.card import environment
from model_card.comparison.readings import Readings
from model_card.judging.contrast_kinds import CONTRAST_KINDS, MODEL_MADE, ContrastKind
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import JudgeFacts
from model_card.judging.graded import GRADES
from pipelines.metrics import METRICS, Metric


@dataclass(frozen=True)
class ShownKind:
    """One kind of bad line as the card shows it.

    Attributes:
        metrics: those that have to tell it.
        example: the first contrast of this kind.
        contrasts: how many there are.
    """

    kind: ContrastKind
    metrics: tuple[Metric, ...]
    example: Contrast
    contrasts: int


def render(
    repo_id: str, dataset: HfUri, judges: Sequence[JudgeFacts], contrasts: Sequence[Contrast], readings: Readings
) -> str:
    """The card without its YAML head.

    Args:
        repo_id: the repo that the card is for.
        dataset: pinned, where the held-out rows come from.
        judges: at least one, each calibrated on `contrasts`.
        contrasts: what `build_contrast_set` returned, from which the examples are taken; some of every kind.
        readings: of all graded lines, from which those of the kind `model_made` are.
    """
    origins: dict[str, set[int]] = {kind: set() for kind in CONTRAST_KINDS}
    for contrast in contrasts:
        origins[contrast.kind].add(contrast.origin)
    others = {"worn_out", MODEL_MADE}
    return (
        environment()
        .get_template("judges_card.md.jinja")
        .render(
            repo_id=repo_id,
            dataset=dataset,
            judges=judges,
            contrasts=len(contrasts),
            slogans=len(origins["worn_out"]),
            usable=len(origins[MODEL_MADE]),
            rows=len(set().union(*(found for kind, found in origins.items() if kind not in others))),
            shown=_shown(contrasts),
            readings=readings,
            grades=GRADES,
        )
    )


def _shown(contrasts: Sequence[Contrast]) -> list[ShownKind]:
    """All kinds, in the order of `CONTRAST_KINDS`."""
    shown = []
    for key, kind in CONTRAST_KINDS.items():
        metrics = tuple(metric for metric in METRICS.values() if key in metric.contrasts)
        of_kind = [contrast for contrast in contrasts if contrast.kind == key]
        shown.append(ShownKind(kind, metrics, of_kind[0], len(of_kind)))
    return shown
