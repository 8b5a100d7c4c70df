"""A calibrated judge: raw scores on the 0..1 scale, each line scored once; and which of two lines is the better one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Protocol

import numpy as np

from model_card.judging.calibration import apply, calibrate
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import FEW, Family, JudgeFacts, Scoring, Verdict, preference
from model_card.statistics import mean_interval, resamples, widened
from pipelines.rows import Scorable

#: Two rows for one pair, whose lines are compared.
LinePair = tuple[Scorable, Scorable]

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

    def __call__(self, pairs: Sequence[LinePair], /) -> Sequence[float | None]: ...


class Judge:
    """Raw scores and their calibration.

    Attributes:
        facts: who it is, and how far to trust it.
        duels: comparisons that it is to be asked for at most; None where they cost nothing.
    """

    def __init__(
        self, facts: JudgeFacts, raw: RawJudge, prefers: Prefers | None = None, duels: int | None = None
    ) -> None:
        self.facts, self.duels = facts, duels
        self._raw = raw
        self._prefers = prefers
        self._known: dict[_Key, Verdict | None] = {}

    def verdicts(self, rows: Sequence[Scorable]) -> list[Verdict | None]:
        """One for each row, in order. Rows not seen before are scored together, in one batch."""
        new = list({_key(row): row for row in rows if _key(row) not in self._known}.values())
        for row, raw in zip(new, self._raw(new) if new else [], strict=True):
            self._known[_key(row)] = self._verdict(raw) if raw else None
        return [self._known[_key(row)] for row in rows]

    def compare(self, pairs: Sequence[LinePair]) -> list[float | None]:
        """What the first line of each pair gets: 1, 0.5 or 0; None where the judge will not say.

        A judge that compares lines is shown both orders, and where its answers disagree it is a tie. Any other compares
        its mean score over `JudgeFacts.compared`; see `preference` for ties.
        """
        if self._prefers:
            return both_orders(self._prefers, pairs)
        return self.compare_scores(pairs, self.facts.compared)

    def compare_scores(self, pairs: Sequence[LinePair], metrics: Sequence[str]) -> list[float | None]:
        """As `compare`, by the mean score over these metrics."""
        verdicts = self.verdicts([row for pair in pairs for row in pair])
        outcomes: list[float | None] = []
        for first, second in zip(verdicts[::2], verdicts[1::2], strict=True):
            if first is None or second is None:
                outcomes.append(None)
            else:
                outcomes.append(preference(fmean(first.scores[key] - second.scores[key] for key in metrics)))
        return outcomes

    def _verdict(self, raw: Raw) -> Verdict:
        scores = {
            metric: apply(calibration, raw.scores[metric]) for metric, calibration in self.facts.calibration.items()
        }
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
    duels: int | None = None,
    bootstrap: int,
    seed: int,
) -> Judge:
    """A judge that is trusted as far as it tells the good rows of a contrast set from the bad ones.

    The rows are shown in random order, and two lines to compare in both: where a row stands must not help.

    Args:
        name, family, scoring, samples: as in `JudgeFacts`.
        contrasts: what `build_contrast_set` returned.
        duels: contrasts that it compares at most, drawn by seed; None for all.

    Raises:
        HanjulError: it scored no contrast of some kind.
    """
    rows = distinct_rows(contrasts)
    random.Random(seed).shuffle(rows)
    scores = {_key(row): answer.scores if answer else None for row, answer in zip(rows, raw(rows), strict=True)}
    good = [scores[_key(contrast.good)] for contrast in contrasts]
    bad = [scores[_key(contrast.bad)] for contrast in contrasts]
    log_odds = scoring == "classifier"
    calibration = calibrate(contrasts, good, bad, log_odds=log_odds, bootstrap=bootstrap, seed=seed)
    facts = JudgeFacts(name, family, scoring, samples, calibration)
    if prefers:
        facts = _with_comparisons(facts, prefers, drawn_contrasts(contrasts, duels, seed), bootstrap, seed)
    return Judge(facts, raw, prefers, duels)


def distinct_rows(contrasts: Sequence[Contrast]) -> list[Scorable]:
    """The rows of a contrast set, each once."""
    return list({_key(row): row for contrast in contrasts for row in (contrast.good, contrast.bad)}.values())


def drawn_contrasts(contrasts: Sequence[Contrast], duels: int | None, seed: int) -> list[LinePair]:
    """The contrasts that a judge compares, good line first: at most `duels` of them, drawn by seed; None for all.

    Those of two pairs of product and values are left out: nobody is asked to compare these.
    """
    pairs = [(c.good, c.bad) for c in contrasts if _key(c.good)[:2] == _key(c.bad)[:2]]
    return pairs if duels is None or duels >= len(pairs) else random.Random(seed).sample(pairs, duels)


def _with_comparisons(
    facts: JudgeFacts, prefers: Prefers, pairs: Sequence[LinePair], bootstrap: int, seed: int
) -> JudgeFacts:
    """The facts of a judge with the share of pairs whose first line wins, and the share in which the order decided."""
    both = [
        (one, 1 - other)
        for one, other in zip(*_in_both_orders(prefers, pairs), strict=True)
        if one is not None and other is not None
    ]
    if not both:
        return facts
    outcomes = np.array([one if one == other else 0.5 for one, other in both])
    accuracy = mean_interval(outcomes, resamples(len(outcomes), bootstrap, seed))
    if len(both) < FEW:
        accuracy = widened(accuracy, len(both))
    contradictions = fmean(one != other for one, other in both)
    return replace(facts, duels=accuracy, contradictions=contradictions, compared_contrasts=len(both))


def both_orders(prefers: Prefers, pairs: Sequence[LinePair]) -> list[float | None]:
    """What the first line of each pair gets, asked in both orders: 0.5 where the answers disagree."""
    return [
        None if one is None or other is None else one if one == 1 - other else 0.5
        for one, other in zip(*_in_both_orders(prefers, pairs), strict=True)
    ]


def _in_both_orders(prefers: Prefers, pairs: Sequence[LinePair]) -> tuple[list[float | None], list[float | None]]:
    """Its answers to the pairs, and to the pairs turned round; it is asked each question once."""
    turned = [(second, first) for first, second in pairs]
    questions = {(_key(first), _key(second)): (first, second) for first, second in [*pairs, *turned]}
    answers = dict(zip(questions, prefers(list(questions.values())), strict=True))
    return (
        [answers[_key(first), _key(second)] for first, second in pairs],
        [answers[_key(first), _key(second)] for first, second in turned],
    )


def _key(row: Scorable) -> _Key:
    return row["product"], tuple(row["values"]), row["ad_copy"]
