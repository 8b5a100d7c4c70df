"""The statistics of a comparison against worked examples, against scipy, and against brute force."""

import numpy as np
import pytest
from scipy import optimize, stats

from model_card.comparison.statistics import bradley_terry, holm, interval, ratings, resamples, sign_flip_test


def test_holm_by_hand():
    # In order 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04; and none may be below the one before.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1.0, 1.0])


def test_sign_flips_agree_with_all_flips_of_scipy():
    differences = np.random.default_rng(3).normal([0.0, 0.3, 0.8], 1.0, size=(10, 3))
    exact = [
        stats.permutation_test((column,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
        for column in differences.T
    ]
    assert sign_flip_test(differences, seed=1) == pytest.approx(exact, abs=0.005)
    assert exact[0] > 0.2 and exact[2] < 0.05


def test_no_difference_has_p_1_and_no_p_is_0():
    assert sign_flip_test(np.column_stack([np.zeros(30), np.ones(30)]), seed=1) == pytest.approx([1.0, 1e-5])


def test_interval_is_that_of_the_normal_law_for_many_pairs():
    values = np.random.default_rng(5).normal(0.5, 0.2, size=400)
    found = interval(values, resamples(400, 5000, seed=1))
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.05 * half)


def test_resamples_draw_as_many_pairs_as_there_are():
    weights = resamples(7, 50, seed=2)
    assert weights.sum(axis=1) == pytest.approx(np.ones(50))
    assert np.array_equal(weights * 7, np.round(weights * 7))


def likeliest(wins):
    """Bradley–Terry by plain maximisation of the likelihood."""

    def loss(log_odds):
        return sum(
            count * np.log1p(np.exp(log_odds[j] - log_odds[i])) for (i, j), count in np.ndenumerate(wins) if i != j
        )

    found = optimize.minimize(loss, np.zeros(len(wins)), method="BFGS", options={"gtol": 1e-9}).x
    return found - found.mean()


def test_ratings_are_the_likeliest_ones():
    wins = np.random.default_rng(8).integers(3, 30, size=(5, 5)).astype(float)
    assert bradley_terry(wins, prior_ties=0) == pytest.approx(likeliest(wins), abs=1e-3)
    # The prior is one more tie of every two: half a win each.
    assert bradley_terry(wins, prior_ties=1) == pytest.approx(likeliest(wins + 0.5), abs=1e-3)


def test_resamples_are_rated_as_one_by_one():
    wins = np.random.default_rng(9).integers(1, 20, size=(6, 4, 4)).astype(float)
    assert bradley_terry(wins) == pytest.approx(np.array([bradley_terry(each) for each in wins]), abs=1e-5)


def test_two_systems_by_hand():
    # 30 wins to 10 are log-odds of log 3 apart; never having lost is finite by the prior: (20 + 1/2) to 1/2.
    assert bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]), prior_ties=0) == pytest.approx(
        [np.log(3) / 2, -np.log(3) / 2]
    )
    assert bradley_terry(np.array([[0.0, 20.0], [0.0, 0.0]])) == pytest.approx([np.log(41) / 2, -np.log(41) / 2])
    assert bradley_terry(np.zeros((1, 1))) == pytest.approx([0.0])


def test_ratings_with_intervals():
    outcomes = np.column_stack([np.repeat([1.0, 0.5, 0.0], [60, 10, 30]), np.ones(100), np.full(100, 0.5)])
    couples = [(1, 0), (2, 0), (2, 1)]
    found = ratings(outcomes, couples, 3, resamples(100, 500, seed=4))
    wins = np.array([[0.0, 35.0, 0.0], [65.0, 0.0, 50.0], [100.0, 50.0, 0.0]])
    assert [each.value for each in found] == pytest.approx(bradley_terry(wins))
    assert all(each.low < each.value < each.high for each in found)
    assert sum(each.value for each in found) == pytest.approx(0.0)
