"""How far a judge can be trusted: its scores on lines that are good by construction and on lines spoilt on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_card.comparison.report import FLOOR, METRICS, Calibration, Interval, Kind
from model_card.judging.contrast_set import KINDS, Contrast
from pipelines.errors import HanjulError

#: Scores of one kind's couples: numbers of the good rows, their scores, the scores of the bad ones.
_Couples = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def calibrate(
    contrasts: Sequence[Contrast],
    good: Sequence[Mapping[str, float] | None],
    bad: Sequence[Mapping[str, float] | None],
    *,
    bootstrap: int,
    seed: int,
) -> dict[str, Calibration]:
    """One calibration a metric.

    Args:
        contrasts: what `contrast_set` returned.
        good, bad: metric -> raw score of the good and of the bad row of each contrast, in order. A contrast with a row
            that the judge would not score (None) is left out.
        bootstrap: resamples of the good rows, with the bad rows made from them, behind the intervals.

    Raises:
        ValueError: a metric is left without a couple of one of its kinds.
    """
    return {metric: _calibration(metric, _couples(metric, contrasts, good, bad), bootstrap, seed) for metric in METRICS}


def _couples(
    metric: str,
    contrasts: Sequence[Contrast],
    good: Sequence[Mapping[str, float] | None],
    bad: Sequence[Mapping[str, float] | None],
) -> dict[str, _Couples]:
    found: dict[str, _Couples] = {}
    for kind in KINDS[metric]:
        rows = [
            (contrast.origin, better[metric], worse[metric])
            for contrast, better, worse in zip(contrasts, good, bad, strict=True)
            if contrast.kind == kind and better is not None and worse is not None
        ]
        if not rows:
            raise HanjulError(f"No couple of the kind {kind} was scored: {metric} cannot be calibrated")
        origins, better, worse = zip(*rows, strict=True)
        found[kind] = np.array(origins), np.array(better, dtype=float), np.array(worse, dtype=float)
    return found


def _calibration(metric: str, couples: Mapping[str, _Couples], bootstrap: int, seed: int) -> Calibration:
    kinds = {kind: Kind(auc(good, bad), _paired(good, bad), len(bad)) for kind, (_, good, bad) in couples.items()}
    area, paired = _intervals(couples, bootstrap, seed)
    better = {
        origin: score for origins, good, _ in couples.values() for origin, score in zip(origins, good, strict=True)
    }
    worse = np.concatenate([bad for _, _, bad in couples.values()])
    slope, intercept = logistic(np.array(list(better.values())), worse)
    return Calibration(
        slope=slope,
        intercept=intercept,
        auc=area,
        paired=paired,
        kinds=kinds,
        n=len(better) + len(worse),
        reliable=area.value >= FLOOR,
    )


def auc(good: NDArray[Any], bad: NDArray[Any]) -> float:
    """Area under the ROC curve as the Mann–Whitney statistic: P(good > bad) + P(good = bad) / 2."""
    ranked = np.sort(bad)
    below = np.searchsorted(ranked, good, side="left")
    ties = np.searchsorted(ranked, good, side="right") - below
    return float((below + 0.5 * ties).sum() / (len(good) * len(bad)))


def _paired(good: NDArray[Any], bad: NDArray[Any]) -> float:
    return float(np.mean((good > bad) + 0.5 * (good == bad)))


def _intervals(couples: Mapping[str, _Couples], bootstrap: int, seed: int) -> tuple[Interval, Interval]:
    """Mean over the kinds of AUC and of paired accuracy, with 95 % percentile intervals.

    Good rows are drawn, and all bad rows made from one go with it: they are not independent.
    """
    rng = np.random.default_rng(seed)
    rows = np.unique(np.concatenate([origins for origins, _, _ in couples.values()]))
    made_from = [
        (good, bad, [np.flatnonzero(origins == row) for row in rows]) for origins, good, bad in couples.values()
    ]
    found: list[tuple[float, float]] = []
    for _ in range(bootstrap):
        drawn = rng.integers(len(rows), size=len(rows))
        places = [np.concatenate([where[row] for row in drawn]) for _, _, where in made_from]
        if all(len(place) for place in places):
            found.append(_means([(good[at], bad[at]) for (good, bad, _), at in zip(made_from, places, strict=True)]))
    low, high = np.quantile(np.array(found), [0.025, 0.975], axis=0)
    value = _means([(good, bad) for _, good, bad in couples.values()])
    area, paired = (Interval(value[i], float(low[i]), float(high[i])) for i in range(2))
    return area, paired


def _means(couples: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[float, float]:
    return (
        float(np.mean([auc(good, bad) for good, bad in couples])),
        float(np.mean([_paired(good, bad) for good, bad in couples])),
    )


def logistic(good: NDArray[Any], bad: NDArray[Any]) -> tuple[float, float]:
    """Slope and intercept of P(good | raw) with both classes weighing the same.

    Logistic regression by Newton's method, with Platt's (1999) soft targets, so that separable scores stay finite.
    The slope is never negative: a judge that prefers bad lines says 0.5 to everything.
    """
    raw = np.concatenate([good, bad]).astype(float)
    centre, scale = float(raw.mean()), float(raw.std())
    if scale < 1e-12:
        return 0.0, 0.0
    x = np.column_stack([(raw - centre) / scale, np.ones(len(raw))])
    target = np.repeat([(len(good) + 1) / (len(good) + 2), 1 / (len(bad) + 2)], [len(good), len(bad)])
    weight = np.repeat([0.5 / len(good), 0.5 / len(bad)], [len(good), len(bad)])
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (weight * (target - p))
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    if beta[0] <= 0:
        return 0.0, 0.0
    slope = float(beta[0]) / scale
    return slope, float(beta[1]) - slope * centre


def apply(calibration: Calibration, raw: float) -> float:
    """A raw score on the 0..1 scale: the chance that the line is good rather than spoilt, at even odds."""
    z = min(max(calibration.slope * raw + calibration.intercept, -60.0), 60.0)
    return float(1 / (1 + np.exp(-z)))
