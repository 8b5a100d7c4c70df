"""The statistics behind a comparison of systems on the same pairs: intervals, paired tests, ratings. Arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_card.comparison.report import Interval

Array = NDArray[Any]

#: Random sign flips behind a p-value: the least possible one, 1 / 100,000, survives Holm's correction over 5,000 tests.
FLIPS = 99_999
_CHUNK = 10_000
#: Before the first line is looked at, every two systems have tied this many times, so that one that never lost (or
#: never won) keeps a finite rating. Real pairs soon outweigh it.
PRIOR_TIES = 1.0


def resamples(pairs: int, bootstrap: int, seed: int) -> Array:
    """Bootstrap resamples of pairs as weights, [bootstrap, pairs], each row summing to 1.

    Weights instead of indices: the mean of anything over all resamples is then one matrix product.
    """
    counts = np.random.default_rng(seed).multinomial(pairs, np.full(pairs, 1 / pairs), size=bootstrap)
    return counts / pairs


def interval(by_pair: Array, weights: Array) -> Interval:
    """Mean over pairs and its 95 % percentile interval (Efron and Tibshirani 1993, "An Introduction to the Bootstrap").

    Args:
        by_pair: one number a pair; lines for one pair were averaged before, as they are not independent.
        weights: of `resamples`.
    """
    return _percentiles(float(by_pair.mean()), weights @ by_pair)


def sign_flip_test(differences: Array, seed: int, flips: int = FLIPS) -> Array:
    """Two-sided p-values of the paired permutation test: is the mean difference of each column 0?

    If neither system is better, either sign of a pair's difference is as likely as the other (Fisher's randomisation
    test for matched pairs; no normality is assumed). p = (b + 1) / (m + 1), b of the m random flips being as extreme
    as what was seen (Phipson and Smyth 2010, "Permutation P-values Should Never Be Zero").

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


def ratings(outcomes: Array, couples: list[tuple[int, int]], systems: int, weights: Array) -> list[Interval]:
    """Bradley–Terry rating of each system with its 95 % bootstrap interval over pairs.

    Args:
        outcomes: [pairs, couples], what the first of a couple got for a pair: 1 won, 0.5 tied, 0 lost, or their mean.
        couples: places of the two systems.
        weights: of `resamples`.
    """
    value = bradley_terry(_wins(outcomes.sum(axis=0, keepdims=True), len(outcomes), couples, systems))[0]
    drawn = bradley_terry(_wins(weights @ outcomes * len(outcomes), len(outcomes), couples, systems))
    return [_percentiles(float(value[place]), drawn[:, place]) for place in range(systems)]


def _wins(won: Array, pairs: int, couples: list[tuple[int, int]], systems: int) -> Array:
    """[resamples, systems, systems] from wins of the first of each couple, [resamples, couples]."""
    wins = np.zeros((len(won), systems, systems))
    for place, (first, second) in enumerate(couples):
        wins[:, first, second] = won[:, place]
        wins[:, second, first] = pairs - won[:, place]
    return wins


def _percentiles(value: float, drawn: Array) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))
