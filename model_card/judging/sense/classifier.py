"""Sense: how likely it is that a reader calls a model's line usable, learnt from lines that were read.

Two ridge regressions of the mean grade of a line (D 0, C 1, B and A 2: usable is enough), one on what a language model
makes of it (`pipelines.likelihood.hidden_states`), one on how it stands to written lines (`kinship`). Their mean
becomes log-odds by a logistic curve through the lines by models. What else was tried: model_card/judging/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model_card.judging.graded import GradedLine, is_unusable, is_usable
from model_card.statistics import Array

#: Of the judge: raise it with a change after which it scores otherwise, and what stands on its scores is made anew.
VERSION = 1
#: What a line of each kind counts in the fit. Written lines differ from those of models in style more than in sense:
#: the more they count, the more it is style that is learnt; the less they count, the more nonsense scores above them.
#: From here on the mean score of written lines is the higher one: see the table in model_card/judging/README.md.
WEIGHTS = {"model": 1.0, "flat": 0.3, "written": 0.4}
GRADE_VALUES = {"A": 2.0, "B": 2.0, "C": 1.0, "D": 0.0}
COMPONENTS, HIDDEN_PENALTY, KINSHIP_PENALTY = 80, 1000.0, 100.0
FOLDS = 5


@dataclass(frozen=True)
class Features:
    """Of lines, in order: [lines, …] each."""

    hidden: Array
    kinship: Array

    def take(self, places: Any) -> Features:
        """Those of some lines."""
        return Features(self.hidden[places], self.kinship[places])


class Sense:
    """Log-odds that a line is usable.

    Attributes:
        held_out: of the lines by models on which the readings agree, as a fit without their product sees them, [lines]:
            what a threshold is chosen by.
        usable: whether those lines are, [lines].
    """

    def __init__(self, features: Features, lines: Sequence[GradedLine]) -> None:
        grades, weights = targets(lines, WEIGHTS)

        def predict(fit: Array, rest: Array) -> Array:
            return _Regressions(features.take(fit), grades[fit], weights[fit]).predict(features.take(rest))

        raw, judged = held_out(lines, predict), agreed(lines)
        self.usable = np.array([is_usable(lines[i]) for i in judged])
        self._curve = LogisticRegression(C=1e6).fit(raw[judged, None], self.usable)
        self._regressions = _Regressions(features, grades, weights)
        self.held_out: Array = self._curve.decision_function(raw[judged, None])

    def log_odds(self, features: Features) -> Array:
        """Of lines of products that the fit has not seen."""
        found: Array = self._curve.decision_function(self._regressions.predict(features)[:, None])
        return found


def targets(lines: Sequence[GradedLine], counted: Mapping[str, float]) -> tuple[Array, Array]:
    """What a regression is to say of lines, and what each counts in the fit by its kind, [lines]."""
    grades = np.array([np.mean([GRADE_VALUES[grade] for grade in line.grades]) for line in lines])
    return grades, np.array([counted[line.kind] for line in lines])


def agreed(lines: Sequence[GradedLine]) -> Array:
    """Places of the lines by models on which the readings agree."""
    return np.array([i for i, line in enumerate(lines) if line.kind == "model" and is_usable(line) | is_unusable(line)])


def held_out(lines: Sequence[GradedLine], predict: Callable[[Array, Array], Array]) -> Array:
    """What fits without a line's product say of it, [lines].

    Args:
        predict: is given places of lines to fit on, and of those to predict.
    """
    found = np.zeros(len(lines))
    for fit, rest in GroupKFold(FOLDS).split(found, groups=[line.row["product"] for line in lines]):
        found[rest] = predict(fit, rest)
    return found


class _Regressions:
    def __init__(self, features: Features, grades: Array, weights: Array) -> None:
        size = min(COMPONENTS, *features.hidden.shape)
        self._hidden = _ridge(HIDDEN_PENALTY, PCA(size, random_state=0))
        self._kinship = _ridge(KINSHIP_PENALTY)
        for model, found in ((self._hidden, features.hidden), (self._kinship, features.kinship)):
            model.fit(found, grades, ridge__sample_weight=weights)
        both = self._both(features)
        self._centre, self._scale = both.mean(0), both.std(0) + 1e-9

    def predict(self, features: Features) -> Array:
        """The mean of both, each in standard deviations of the lines that it was fitted on."""
        found: Array = ((self._both(features) - self._centre) / self._scale).mean(1)
        return found

    def _both(self, features: Features) -> Array:
        found: Array = np.c_[self._hidden.predict(features.hidden), self._kinship.predict(features.kinship)]
        return found


def _ridge(penalty: float, *between: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), *between, Ridge(penalty))
