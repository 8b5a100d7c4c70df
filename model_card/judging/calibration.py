"""How far a judge can be trusted: its scores on lines that are good by construction and on perturbed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model_card import statistics
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import FEW, Calibration, KindAccuracy, fails_on_models, is_reliable
from model_card.statistics import Array, Interval
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS, Metric

#: Metric -> raw score of each row; None for a row that the judge would not score.
Scores = Sequence[Mapping[str, float] | None]


@dataclass(frozen=True)
class _KindScores:
    """Scores of the contrasts of one kind.

    Attributes:
        origins: which good row stands in each contrast, [contrasts]; for model-made lines the same in many.
        good, bad: [contrasts].
    """

    origins: Array
    good: Array
    bad: Array

    def distinct(self) -> tuple[Array, Array]:
        """The good rows, each once: their origins and their scores."""
        origins, places = np.unique(self.origins, return_index=True)
        return origins, self.good[places]

    @property
    def least(self) -> int:
        """Good or bad lines, whichever are fewer."""
        return min(len(self.distinct()[0]), len(self.bad))


def calibrate(
    contrasts: Sequence[Contrast], good: Scores, bad: Scores, *, log_odds: bool = False, bootstrap: int, seed: int
) -> dict[str, Calibration]:
    """One calibration for each metric that the judge scores.

    Args:
        contrasts: what `build_contrast_set` returned.
        good, bad: raw scores of the good and of the perturbed row of each contrast, in order. A contrast with a row
            that the judge would not score (None) is left out.
        log_odds: raw scores are log-odds already, and stay: of a line among those that the judge was fitted on, where
            good ones may be rare, and not at even odds.
        bootstrap: resamples of the good rows, with the rows made from them, behind the intervals.

    Raises:
        HanjulError: no row was scored, or no contrast of one of a metric's kinds.
    """
    scored = next((scores for scores in (*good, *bad) if scores is not None), None)
    if scored is None:
        raise HanjulError("No line was scored: the judge cannot be calibrated")
    return {
        key: _calibration(_by_kind(metric, contrasts, good, bad), log_odds, bootstrap, seed)
        for key, metric in METRICS.items()
        if key in scored
    }


def apply(calibration: Calibration, raw: float) -> float:
    """A raw score on the 0..1 scale: the chance that the line is good rather than bad, at the odds of `calibrate`."""
    return float(statistics.chance(calibration.slope * raw + calibration.intercept))


def _by_kind(metric: Metric, contrasts: Sequence[Contrast], good: Scores, bad: Scores) -> dict[str, _KindScores]:
    by_kind = {}
    for kind in metric.contrasts:
        rows = [
            (contrast.origin, better[metric.key], worse[metric.key])
            for contrast, better, worse in zip(contrasts, good, bad, strict=True)
            if contrast.kind == kind and better is not None and worse is not None
        ]
        if not rows:
            raise HanjulError(f"No contrast of the kind {kind} was scored: {metric.key} cannot be calibrated")
        origins, better, worse = zip(*rows, strict=True)
        by_kind[kind] = _KindScores(np.array(origins), np.array(better, dtype=float), np.array(worse, dtype=float))
    return by_kind


def _calibration(by_kind: Mapping[str, _KindScores], log_odds: bool, bootstrap: int, seed: int) -> Calibration:
    kinds = {
        kind: KindAccuracy(
            statistics.auc(scores.distinct()[1], scores.bad),
            statistics.paired_accuracy(scores.good, scores.bad),
            len(scores.bad),
        )
        for kind, scores in by_kind.items()
    }
    auc, paired = _intervals(kinds, by_kind, bootstrap, seed)
    least = min(scores.least for scores in by_kind.values())
    if least < FEW:
        auc, paired = statistics.widened(auc, least), statistics.widened(paired, least)
    better = {origin: score for scores in by_kind.values() for origin, score in zip(*scores.distinct(), strict=True)}
    worse = np.concatenate([scores.bad for scores in by_kind.values()])
    slope, intercept = (1.0, 0.0) if log_odds else statistics.logistic(np.array(list(better.values())), worse)
    return Calibration(
        slope=slope,
        intercept=intercept,
        auc=auc,
        paired=paired,
        kinds=kinds,
        n=len(better) + len(worse),
        reliable=slope > 0 and is_reliable(auc, least) and not fails_on_models(kinds),
    )


def _intervals(
    kinds: Mapping[str, KindAccuracy], by_kind: Mapping[str, _KindScores], bootstrap: int, seed: int
) -> tuple[Interval, Interval]:
    """Mean over the kinds of AUC and of paired accuracy, with their intervals.

    Good rows are drawn, and all rows that stand beside one go with it: what was made from one row is not independent.
    """
    rows = np.unique(np.concatenate([scores.origins for scores in by_kind.values()]))
    counts = statistics.resamples(len(rows), bootstrap, seed)
    aucs, paired = [], []
    for scores in by_kind.values():
        origins, distinct = scores.distinct()
        good_drawn, drawn = (counts[:, np.searchsorted(rows, which)] for which in (origins, scores.origins))
        aucs.append(statistics.resampled_auc(distinct, scores.bad, good_drawn, drawn))
        paired.append(statistics.resampled_paired_accuracy(scores.good, scores.bad, drawn))
    return (
        statistics.percentile_interval(float(np.mean([kind.auc for kind in kinds.values()])), np.mean(aucs, axis=0)),
        statistics.percentile_interval(
            float(np.mean([kind.paired for kind in kinds.values()])), np.mean(paired, axis=0)
        ),
    )
