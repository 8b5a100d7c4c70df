"""A calibrated judge: raw scores of a scorer on the 0..1 scale, each line scored once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from model_card.calibration import apply, calibrate, contrast_set
from model_card.facts import METRICS, Calibration
from pipelines.likelihood import RawScores, Scorable

_Key = tuple[str, tuple[str, ...], str]


class RawJudge(Protocol):
    """What a judge is made from: raw scores for rows, in order. `likelihood.raw_scores(scorer, …)` is one."""

    def __call__(self, rows: Sequence[Scorable], /) -> Sequence[RawScores]: ...


class Judge:
    """Raw scores and their calibration.

    Attributes:
        name: what the card calls it, with its revision, e.g. `google/gemma-3-270m@<sha>`.
        calibration: metric -> how far to trust it.
    """

    def __init__(self, name: str, raw: RawJudge, calibration: dict[str, Calibration]) -> None:
        self.name = name
        self.calibration = calibration
        self._raw = raw
        self._known: dict[_Key, dict[str, float]] = {}

    def scores(self, rows: Sequence[Scorable]) -> list[dict[str, float]]:
        """Metric -> 0..1 for each row, in order. Rows not seen before are scored together, in one batch."""
        new = list({_key(row): row for row in rows if _key(row) not in self._known}.values())
        for row, raw in zip(new, self._raw(new) if new else [], strict=True):
            self._known[_key(row)] = {
                metric: apply(self.calibration[metric], getattr(raw, metric)) for metric in METRICS
            }
        return [self._known[_key(row)] for row in rows]


def calibrated(name: str, raw: RawJudge, rows: Sequence[Scorable], *, bootstrap: int, seed: int) -> Judge:
    """A judge whose calibration comes from held-out rows: their lines against lines spoilt on purpose.

    Raises:
        ValueError: the rows have fewer than two products.
    """
    contrasts = contrast_set(rows, seed)
    scored = list(raw([*rows, *(contrast.bad for contrast in contrasts)]))
    found = calibrate(scored[: len(rows)], contrasts, scored[len(rows) :], bootstrap=bootstrap, seed=seed)
    return Judge(name, raw, found)


def _key(row: Scorable) -> _Key:
    return row["product"], tuple(row["values"]), row["ad_copy"]
