"""Fits the judge that is published: one ridge regression on kinship and usage, and the curve to chances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from model_card.judging.graded import GradedLine, is_usable
from model_card.judging.sense.classifier import agreed, held_out, targets
from model_card.judging.sense.kinship import Kinship
from model_card.judging.sense.published import PublishedJudge
from model_card.judging.sense.usage import Usage
from model_card.statistics import Array, Interval, auc, percentile_interval, resampled_auc, resamples

#: Of the judge: raise it with a change after which it scores otherwise.
VERSION = 1
PENALTY = 1000.0
#: What a line of each kind counts in the fit; good written lines are left out. A Space ranks a model's lines among each
#: other, never beside people's.
WEIGHTS = {"model": 1.0, "flat": 0.3}


def fitted_on(lines: Iterable[GradedLine]) -> list[GradedLine]:
    """The lines that the regression is fitted on."""
    return [line for line in lines if line.kind in WEIGHTS]


def features_of(kinship: Kinship, lines: Sequence[GradedLine]) -> Array:
    """What the regression reads of graded lines, [lines, 31]."""
    rows = [line.row for line in lines]
    found: Array = np.c_[kinship.features(rows), Usage(kinship).features(rows)]
    return found


def fit_judge(kinship: Kinship, features: Array, lines: Sequence[GradedLine], facts: dict[str, Any]) -> PublishedJudge:
    """The judge by lines that `fitted_on` gave, of which `features` are those by the same kinship."""
    grades, weights = targets(lines, WEIGHTS)

    def predict(fit: Array, rest: Array) -> Array:
        slopes, intercept = _ridge(features[fit], grades[fit], weights[fit])
        return features[rest] @ slopes + intercept

    raw, judged = held_out(lines, predict), agreed(lines)
    curve = LogisticRegression(C=1e6).fit(raw[judged, None], [is_usable(lines[place]) for place in judged])
    slopes, intercept = _ridge(features, grades, weights)
    steep, base = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    return PublishedJudge(kinship, slopes * steep, intercept * steep + base, facts)


def tell_usable(scores: Array, lines: Sequence[GradedLine], bootstrap: int = 2000, seed: int = 0) -> Interval:
    """The AUC of scores of lines by models on which the readings agree; resampled by product: a product's lines are
    alike."""
    products = [line.row["product"] for line in lines]
    names = sorted(set(products))
    drawn = resamples(len(names), bootstrap, seed)[:, [names.index(product) for product in products]]
    usable = np.array([is_usable(line) for line in lines])
    good, bad = scores[usable], scores[~usable]
    return percentile_interval(auc(good, bad), resampled_auc(good, bad, drawn[:, usable], drawn[:, ~usable]))


def _ridge(features: Array, grades: Array, weights: Array) -> tuple[Array, float]:
    """Slopes and intercept of the raw features."""
    scaler = StandardScaler().fit(features)
    model = Ridge(PENALTY).fit(scaler.transform(features), grades, sample_weight=weights)
    slopes: Array = model.coef_ / scaler.scale_
    return slopes, float(model.intercept_ - slopes @ scaler.mean_)
