"""A calibrated judge: raw scores on the 0..1 scale, each line scored once; and which of two lines is the better one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

import numpy as np

from model_card.comparison.report import METRICS, Family, Interval, JudgeFacts, Scoring, Verdict
from model_card.judging.calibration import apply, calibrate
from model_card.judging.contrast_set import Contrast
from pipelines.likelihood.scorer import Scorable

#: Mean scores nearer than this are a tie.
TIE = 0.02

_Key = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True)
class Raw:
    """Uncalibrated: metric -> score on a scale of the judge's own, higher is better; metric -> reason, if it says."""

    scores: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)


class RawJudge(Protocol):
    """What a judge is made from: raw scores of rows, in order; None for a row that it will not score."""

    def __call__(self, rows: Sequence[Scorable], /) -> Sequence[Raw | None]: ...


class Prefers(Protocol):
    """Which of two lines for one pair a judge prefers, in the order shown: 1 the first, 0 the second, 0.5 a tie.

    None where it will not say. Nothing here turns the order round: whoever asks does so in both.
    """

    def __call__(self, couples: Sequence[tuple[Scorable, Scorable]], /) -> Sequence[float | None]: ...


class Judge:
    """Raw scores and their calibration.

    Attributes:
        facts: who it is, and how far to trust it.
    """

    def __init__(self, facts: JudgeFacts, raw: RawJudge, prefers: Prefers | None = None) -> None:
        self.facts = facts
        self._raw = raw
        self._prefers = prefers
        self._known: dict[_Key, Verdict | None] = {}

    def verdicts(self, rows: Sequence[Scorable]) -> list[Verdict | None]:
        """One for each row, in order. Rows not seen before are scored together, in one batch."""
        new = list({_key(row): row for row in rows if _key(row) not in self._known}.values())
        for row, raw in zip(new, self._raw(new) if new else [], strict=True):
            self._known[_key(row)] = self._verdict(raw) if raw else None
        return [self._known[_key(row)] for row in rows]

    def duels(self, couples: Sequence[tuple[Scorable, Scorable]]) -> list[float | None]:
        """What the first line of each couple gets: 1, 0.5 or 0; None where the judge will not say.

        A judge that compares lines is asked in both orders, and where they disagree it is a tie. Any other compares its
        mean score over the metrics that it can be trusted with (all, where there is none); within `TIE` it is a tie.
        """
        if self._prefers:
            return both_orders(self._prefers, couples)
        verdicts = self.verdicts([row for couple in couples for row in couple])
        return [self._by_scores(*verdicts[place : place + 2]) for place in range(0, len(verdicts), 2)]

    def _by_scores(self, first: Verdict | None, second: Verdict | None) -> float | None:
        if first is None or second is None:
            return None
        trusted = [metric for metric in METRICS if self.facts.calibration[metric].reliable] or list(METRICS)
        lead = fmean(first.scores[metric] - second.scores[metric] for metric in trusted)
        return 0.5 if abs(lead) < TIE else float(lead > 0)

    def _verdict(self, raw: Raw) -> Verdict:
        scores = {metric: apply(self.facts.calibration[metric], raw.scores[metric]) for metric in METRICS}
        return Verdict(scores, raw.reasons)


def calibrated(
    name: str,
    family: Family,
    scoring: Scoring,
    raw: RawJudge,
    contrasts: Sequence[Contrast],
    *,
    samples: int = 1,
    prefers: Prefers | None = None,
    bootstrap: int,
    seed: int,
) -> Judge:
    """A judge that is trusted as far as it tells the good rows of a contrast set from the bad ones.

    The rows are shown in random order, and couples in both: where a row stands must not help.

    Args:
        name, family, scoring, samples: as in `JudgeFacts`.
        contrasts: what `contrast.contrast_set` returned.

    Raises:
        ValueError: it scored no couple of some kind.
    """
    rows = list({_key(row): row for contrast in contrasts for row in (contrast.good, contrast.bad)}.values())
    random.Random(seed).shuffle(rows)
    scores = {_key(row): found.scores if found else None for row, found in zip(rows, raw(rows), strict=True)}
    good, bad = (
        [scores[_key(row)] for row in rows] for rows in zip(*((c.good, c.bad) for c in contrasts), strict=True)
    )
    calibration = calibrate(contrasts, good, bad, bootstrap=bootstrap, seed=seed)
    duels, contradictions = _duels(prefers, contrasts, bootstrap, seed) if prefers else (None, None)
    return Judge(JudgeFacts(name, family, scoring, samples, calibration, duels, contradictions), raw, prefers)


def _duels(
    prefers: Prefers, contrasts: Sequence[Contrast], bootstrap: int, seed: int
) -> tuple[Interval | None, float | None]:
    """Share of couples in which the good row wins, with its interval, and share in which the order decided.

    Couples with one line and two pairs are left out: nobody is asked to compare those.
    """
    couples = [(c.good, c.bad) for c in contrasts if c.good["ad_copy"] != c.bad["ad_copy"]]
    straight, turned = _asked(prefers, couples)
    both = [
        (one, 1 - other) for one, other in zip(straight, turned, strict=True) if one is not None and other is not None
    ]
    if not both:
        return None, None
    outcomes = np.array([one if one == other else 0.5 for one, other in both])
    draws = np.random.default_rng(seed).integers(len(outcomes), size=(bootstrap, len(outcomes)))
    low, high = np.quantile(outcomes[draws].mean(axis=1), [0.025, 0.975])
    return Interval(float(outcomes.mean()), float(low), float(high)), fmean(one != other for one, other in both)


def both_orders(prefers: Prefers, couples: Sequence[tuple[Scorable, Scorable]]) -> list[float | None]:
    """What the first line of each couple gets, asked in both orders: 0.5 where the answers disagree."""
    return [
        None if one is None or other is None else one if one == 1 - other else 0.5
        for one, other in zip(*_asked(prefers, couples), strict=True)
    ]


def _asked(prefers: Prefers, couples: Sequence[tuple[Scorable, Scorable]]) -> tuple[list[float | None], ...]:
    """Its answers to the couples, and to the couples turned round; it is asked each question once."""
    turned = [(second, first) for first, second in couples]
    questions = {(_key(first), _key(second)): (first, second) for first, second in [*couples, *turned]}
    answers = dict(zip(questions, prefers(list(questions.values())), strict=True))
    straight, other = ([answers[_key(first), _key(second)] for first, second in asked] for asked in (couples, turned))
    return straight, other


def _key(row: Scorable) -> _Key:
    return row["product"], tuple(row["values"]), row["ad_copy"]
