"""Statistics of judging: bootstrap intervals, paired tests, how well good is told from bad, ratings. Arrays only.

scipy and scikit-learn where they have it. What is written out here shares its resamples between metrics, systems and
ratings, or would be too slow at 100,000 permutations; the tests hold it against theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Random sign flips behind a p-value: the least possible one, 1 / 100,000, survives Holm's correction over 5,000 tests.
FLIPS = 99_999
_CHUNK = 10_000
#: Before the first line is looked at, every two systems have tied this many times, so that one that never lost (or
#: never won) keeps a finite rating. Real pairs soon outweigh it.
PRIOR_TIES = 1.0


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def resamples(size: int, bootstrap: int, seed: int) -> Array:
    """Bootstrap resamples, [bootstrap, size]: how often each thing was drawn, each row summing to `size`.

    Counts instead of indices: the sum of anything over all resamples is then one matrix product, and whatever is
    compared is compared on the same resamples.
    """
    draw = np.random.default_rng(seed)
    return draw.multinomial(size, np.full(size, 1 / size), size=bootstrap).astype(float)


def percentile_interval(value: float, drawn: Array) -> Interval:
    """A value with the 2.5th and the 97.5th percentile of what resamples give for it, NaN passed over."""
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def mean_interval(values: Array, counts: Array) -> Interval:
    """Mean and its 95 % percentile interval (Efron and Tibshirani 1993, "An Introduction to the Bootstrap").

    Args:
        values: independent ones; lines for one pair are not, and are averaged before.
        counts: of `resamples`.
    """
    return percentile_interval(float(values.mean()), counts @ values / len(values))


def widened(found: Interval, n: int) -> Interval:
    """An interval of a share that is at least as wide as the exact one for `n` independent answers.

    A bootstrap of few items is too narrow, and has no width at all where every one of them was right (Clopper and
    Pearson 1934, "The Use of Confidence or Fiducial Limits"). For an AUC `n` is the rarer class, whose number bounds
    its variance (Birnbaum and Klose 1957, "Bounds for the Variance of the Mann–Whitney Statistic").
    """
    from scipy.stats import beta

    right = found.value * n
    low = beta.ppf(0.025, right, n - right + 1) if right > 0 else 0.0
    high = beta.ppf(0.975, right + 1, n - right) if right < n else 1.0
    return Interval(found.value, min(found.low, float(low)), max(found.high, float(high)))


def sign_flip_test(differences: Array, seed: int, flips: int = FLIPS) -> Array:
    """Two-sided p-values of the paired permutation test: is the mean difference of each column 0?

    If neither system is better, either sign of a pair's difference is as likely as the other (Fisher's randomisation
    test for matched pairs; no normality is assumed). p = (b + 1) / (m + 1), b of the m random flips being as extreme
    as what was seen (Phipson and Smyth 2010, "Permutation P-values Should Never Be Zero").

    `scipy.stats.permutation_test` draws anew for each test: 31 s against 1.5 s for ten systems on 90 pairs.

    Args:
        differences: [pairs, tests].
    """
    rng = np.random.default_rng(seed)
    pairs, tests = differences.shape
    seen = np.abs(differences.mean(axis=0)) - 1e-12  # equal up to rounding is as extreme
    extreme = np.zeros(tests, dtype=np.int64)
    for start in range(0, flips, _CHUNK):
        signs = rng.integers(0, 2, size=(min(_CHUNK, flips - start), pairs), dtype=np.int8) * 2.0 - 1.0
        extreme += (np.abs(signs @ differences / pairs) >= seen).sum(axis=0)
    return (extreme + 1) / (flips + 1)


def holm(p: Array) -> Array:
    """p-values after Holm's step-down correction, in the order given: the chance of one false finding among all that
    stay below 0.05 is below 5 % (Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure")."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def auc(good: Array, bad: Array) -> float:
    """Area under the ROC curve: P(good > bad) + P(good = bad) / 2."""
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([1, 0], [len(good), len(bad)])
    return float(roc_auc_score(labels, np.concatenate([good, bad])))


def resampled_auc(good: Array, bad: Array, good_counts: Array, bad_counts: Array) -> Array:
    """The AUC in each resample, [bootstrap]; NaN where a resample has no good or no bad line.

    Args:
        good, bad: scores of lines, [good] and [bad].
        good_counts, bad_counts: how often each was drawn, [bootstrap, good] and [bootstrap, bad].
    """
    ahead = np.heaviside(good[:, None] - bad, 0.5)
    pairs = good_counts.sum(axis=1) * bad_counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(((good_counts @ ahead) * bad_counts).sum(axis=1) / pairs)


def paired_accuracy(good: Array, bad: Array) -> float:
    """Share of contrasts in which the good line has the higher score; a tie counts half."""
    return float(np.heaviside(good - bad, 0.5).mean())


def resampled_paired_accuracy(good: Array, bad: Array, counts: Array) -> Array:
    """Paired accuracy in each resample of contrasts, [bootstrap]; NaN where it has none of them.

    Args:
        good, bad: scores of the two lines of each contrast, [contrasts].
        counts: how often each contrast was drawn, [bootstrap, contrasts].
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(counts @ np.heaviside(good - bad, 0.5) / counts.sum(axis=1))


def logistic(good: Array, bad: Array) -> tuple[float, float]:
    """Slope and intercept of P(good | score), both classes weighing the same: logistic regression without a penalty.

    Targets are Platt's (1999, "Probabilistic Outputs for Support Vector Machines"), a little inside 0 and 1, so that
    separable scores stay finite: each score stands once in either class, weighing as much as its target.
    The slope is never negative: a judge that prefers bad lines says 0.5 to everything.
    """
    from sklearn.linear_model import LogisticRegression

    scores = np.concatenate([good, bad]).astype(float)
    centre, scale = float(scores.mean()), float(scores.std())
    if scale < 1e-12:
        return 0.0, 0.0
    target = np.repeat([(len(good) + 1) / (len(good) + 2), 1 / (len(bad) + 2)], [len(good), len(bad)])
    weight = np.repeat([0.5 / len(good), 0.5 / len(bad)], [len(good), len(bad)])
    standardised = np.tile((scores - centre) / scale, 2)[:, None]
    labels = np.repeat([1, 0], len(scores))
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    model.fit(standardised, labels, np.concatenate([weight * target, weight * (1 - target)]))
    if model.coef_[0, 0] <= 0:
        return 0.0, 0.0
    slope = float(model.coef_[0, 0]) / scale
    return slope, float(model.intercept_[0]) - slope * centre


def chance(log_odds: Array | float) -> Array:
    """1 / (1 + exp(-log-odds)); beyond 60 nothing changes any more, and exp would overflow."""
    found: Array = 1 / (1 + np.exp(-np.clip(log_odds, -60.0, 60.0)))
    return found


def bradley_terry(wins: Array, prior_ties: float = PRIOR_TIES) -> Array:
    """Bradley–Terry ratings as log-odds, centred on 0: i beats j with probability 1 / (1 + exp(rating j - rating i)).

    By the MM algorithm of Hunter 2004, "MM Algorithms for Generalized Bradley–Terry Models", for all resamples at once.

    Args:
        wins: [..., systems, systems], how often the row's system beat the column's; a tie is half a win for each.
        prior_ties: ties that every two systems start with; see `PRIOR_TIES`.

    Returns:
        [..., systems].
    """
    systems = wins.shape[-1]
    apart = 1 - np.eye(systems)
    won = (wins + prior_ties / 2) * apart
    met = won + np.swapaxes(won, -1, -2)
    total = won.sum(axis=-1)
    strength = np.ones(wins.shape[:-1])
    for _ in range(10_000 if systems > 1 else 0):
        step = total / (met / (strength[..., :, None] + strength[..., None, :])).sum(axis=-1)
        step /= np.exp(np.log(step).mean(axis=-1, keepdims=True))
        moved = np.abs(np.log(step / strength)).max()
        strength = step
        if moved < 1e-7:
            break
    return np.asarray(np.log(strength))


def ratings(outcomes: Array, pairings: Sequence[tuple[int, int]], systems: int, counts: Array) -> list[Interval]:
    """Bradley–Terry rating of each system with its 95 % bootstrap interval over pairs.

    Args:
        outcomes: [pairs, pairings], what the first system of a pairing got for a pair: 1 won, 0.5 tied, 0 lost, or the
            mean of these.
        pairings: places of the two systems.
        counts: of `resamples`.
    """
    value = bradley_terry(_wins(outcomes.sum(axis=0, keepdims=True), len(outcomes), pairings, systems))[0]
    drawn = bradley_terry(_wins(counts @ outcomes, len(outcomes), pairings, systems))
    return [percentile_interval(float(value[place]), drawn[:, place]) for place in range(systems)]


def _wins(won: Array, pairs: int, pairings: Sequence[tuple[int, int]], systems: int) -> Array:
    """[resamples, systems, systems] from wins of the first system of each pairing, [resamples, pairings]."""
    wins = np.zeros((len(won), systems, systems))
    for place, (first, second) in enumerate(pairings):
        wins[:, first, second] = won[:, place]
        wins[:, second, first] = pairs - won[:, place]
    return wins
