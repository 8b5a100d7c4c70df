"""The gate: which lines of a model may be released, by the calibrated chance that a reader calls them usable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model_card.judging.facts import Calibration
from model_card.statistics import Array, chance
from pipelines.rows import Scorable

#: Lines that have to pass a threshold before its precision is believed: a share of two lines says nothing.
LEAST = 10


@dataclass(frozen=True)
class Gate:
    """A judge of usable lines, and from which chance on it is believed.

    Attributes:
        judge: its name, as cards show it.
        calibration: of `sense`, on the test part of the graded lines.
        threshold: P(usable) from which on lines pass; None where none does.
        why: how the threshold was chosen, or why there is none, in English.
        precision: share of the lines that pass which readers would call usable, as wanted.
        log_odds: of rows, in order; natural.
    """

    judge: str
    calibration: Calibration
    threshold: float | None
    why: str
    precision: float
    log_odds: Callable[[Sequence[Scorable]], Sequence[float]]

    def p_usable(self, rows: Sequence[Scorable]) -> list[float]:
        """The chance that a reader calls each line usable, in order."""
        return [float(chance(value)) for value in self.log_odds(rows)] if rows else []


def make_gate(
    judge: str,
    calibration: Calibration,
    chances: Array,
    usable: Array,
    precision: float,
    log_odds: Callable[[Sequence[Scorable]], Sequence[float]],
) -> Gate:
    """The gate of a judge; shut where it is unreliable, or where no threshold is precise enough.

    Args:
        chances: P(usable) of the graded lines of models in the part `fit`, none seen by the fit that gave it, [lines].
        usable: whether readers called them usable, [lines].
    """
    auc = calibration.auc.value
    if not calibration.reliable:
        why = f"the judge is unreliable on lines that models write (AUC {auc:.2f})"
        return Gate(judge, calibration, None, why, precision, log_odds)
    found = threshold(chances, usable, precision)
    if found is None:
        best = best_precision(chances, usable)
        why = f"no threshold reaches a precision of {precision:.2f} on the graded lines; the best has {best:.2f}"
        return Gate(judge, calibration, None, why, precision, log_odds)
    passed = usable[chances >= found]
    why = f"{int(passed.sum())} of the {len(passed)} graded lines from there on are usable"
    return Gate(judge, calibration, found, why, precision, log_odds)


def threshold(chances: Array, usable: Array, precision: float) -> float | None:
    """The lowest chance from which on a share `precision` of all lines is usable; None where there is none.

    At least `LEAST` lines have to pass it.
    """
    values, shares = _shares(chances, usable)
    passing = np.flatnonzero(shares >= precision)
    return float(values[passing[-1]]) if len(passing) else None


def best_precision(chances: Array, usable: Array) -> float:
    """The largest share of usable lines that any threshold reaches."""
    return float(_shares(chances, usable)[1].max(initial=0.0))


def _shares(chances: Array, usable: Array) -> tuple[Array, Array]:
    """Thresholds from the highest down that at least `LEAST` lines pass, and the share of usable lines above each."""
    order = np.argsort(-chances, kind="stable")
    values, shares = chances[order], np.cumsum(usable[order]) / np.arange(1, len(order) + 1)
    last = np.append(np.diff(values) != 0, True)[: len(values)]  # equal chances pass together
    last &= np.arange(1, len(order) + 1) >= LEAST
    return values[last], shares[last]
