"""Krippendorff's alpha: how far observers agree beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from model_card.statistics import Array, Interval, percentile_interval, resamples

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(units: Sequence[Sequence[float]], level: Level = "nominal") -> float | None:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance gives (Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability").

    Args:
        units: for each unit the values that observers gave it. Missing values are simply not there, and units with
            less than two values say nothing.
        level: how values differ: not at all or wholly, by the ranks between them, or by their squared distance.

    Returns:
        None where alpha is undefined: no unit with two values, or one value throughout.
    """
    scale = np.array(sorted({value for unit in units for value in unit}))
    alpha = float(_alphas(_coincidences(units, scale).sum(axis=0)[None], scale, level)[0])
    return None if np.isnan(alpha) else alpha


def alpha_interval(
    units: Sequence[Sequence[float]], scale: Sequence[float], *, bootstrap: int, seed: int
) -> Interval | None:
    """Ordinal alpha with its 95 % bootstrap interval over units; None where it is undefined.

    Resamples in which it is undefined are passed over.

    Args:
        units: as of `krippendorff_alpha`, each with two values or more.
        scale: all values that there are, in order.
    """
    value = krippendorff_alpha(units, "ordinal")
    if value is None:
        return None
    values = np.array(scale)
    by_unit = _coincidences(units, values).reshape(len(units), -1)
    drawn = resamples(len(units), bootstrap, seed) @ by_unit
    return percentile_interval(value, _alphas(drawn.reshape(-1, len(values), len(values)), values, "ordinal"))


def _coincidences(units: Sequence[Sequence[float]], scale: Array) -> Array:
    """[units, values, values]: pairs of values within each unit, of two observers; a unit of m values weighs m."""
    counts = np.array([[list(unit).count(value) for value in scale] for unit in units], dtype=float)
    counts = counts.reshape(len(units), len(scale))
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(scale))
    return np.asarray(pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None])


def _alphas(coincidences: Array, scale: Array, level: Level) -> Array:
    """Alpha of each of [draws, values, values] coincidences; NaN where it is undefined."""
    totals = coincidences.sum(axis=-1)
    if level == "nominal":
        differ = 1 - np.eye(len(scale))[None]
    else:  # the sum over ranks in the paper's formula is the distance of mid-ranks
        place = scale[None] if level == "interval" else np.cumsum(totals, axis=-1) - totals / 2
        differ = (place[:, :, None] - place[:, None, :]) ** 2
    observed = (coincidences * differ).sum(axis=(-1, -2))
    expected = (totals[:, :, None] * totals[:, None, :] * differ).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (totals.sum(axis=-1) - 1) * observed / expected, np.nan))
