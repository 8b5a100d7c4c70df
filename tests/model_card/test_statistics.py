"""Statistics against worked examples, against scipy and scikit-learn, and against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from model_card.statistics import (
    Interval,
    auc,
    bradley_terry,
    holm,
    logistic,
    mean_interval,
    paired_accuracy,
    ratings,
    resampled_auc,
    resampled_paired_accuracy,
    resamples,
    sign_flip_test,
    widened,
)


@given(st.integers(1, 40), st.data())
def test_few_answers_have_the_exact_interval_of_scipy_at_least(n, data):
    right = data.draw(st.integers(0, n))
    exact = stats.binomtest(right, n).proportion_ci(0.95, "exact")
    value = right / n
    found = widened(Interval(value, value, value), n)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high)) and found.value == value
    assert widened(Interval(value, 0, 1), n) == Interval(value, 0, 1)


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
    found = mean_interval(values, resamples(400, 5000, seed=1))
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.05 * half)


def test_resamples_draw_as_many_pairs_as_there_are():
    counts = resamples(7, 50, seed=2)
    assert counts.shape == (50, 7) and set(counts.sum(axis=1)) == {7}
    assert np.array_equal(counts, np.round(counts)) and counts.min() == 0


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
    pairings = [(1, 0), (2, 0), (2, 1)]
    found = ratings(outcomes, pairings, 3, resamples(100, 500, seed=4))
    wins = np.array([[0.0, 35.0, 0.0], [65.0, 0.0, 50.0], [100.0, 50.0, 0.0]])
    assert [each.value for each in found] == pytest.approx(bradley_terry(wins))
    assert all(each.low < each.value < each.high for each in found)
    assert sum(each.value for each in found) == pytest.approx(0.0)


scores = st.lists(st.integers(-3, 3) | st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=1, max_size=12)


@settings(deadline=None)
@given(scores, scores)
def test_auc_is_the_share_of_pairs_in_order(good, bad):
    brute = np.mean([(g > b) + 0.5 * (g == b) for g in good for b in bad])
    assert auc(np.array(good, dtype=float), np.array(bad, dtype=float)) == pytest.approx(brute)


def test_paired_accuracy_by_hand():
    assert paired_accuracy(np.array([3.0, 1.0, 2.0]), np.array([0.0, 2.0, 2.0])) == pytest.approx(1.5 / 3)


def test_resampled_accuracies_are_those_of_the_rows_drawn():
    rng = np.random.default_rng(2)
    good, bad = rng.integers(0, 6, 30).astype(float), rng.integers(-2, 4, 30).astype(float)
    counts = resamples(30, 20, seed=3)
    areas = resampled_auc(good, bad, counts, counts)
    for row, area, share in zip(counts, areas, resampled_paired_accuracy(good, bad, counts), strict=True):
        drawn = np.repeat(np.arange(30), row.astype(int))
        labels = np.repeat([1, 0], 30)
        assert area == pytest.approx(roc_auc_score(labels, np.concatenate([good[drawn], bad[drawn]])))
        assert share == pytest.approx(paired_accuracy(good[drawn], bad[drawn]))


def test_good_and_bad_lines_may_be_drawn_apart():
    good, bad = np.array([2.0, 0.0]), np.array([1.0, 3.0, -1.0])
    good_counts, bad_counts = np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([[1.0, 1.0, 1.0], [0.0, 3.0, 1.0]])
    assert resampled_auc(good, bad, good_counts, bad_counts) == pytest.approx([3 / 6, 1 / 4])


def test_a_resample_without_a_contrast_has_no_accuracy():
    counts = np.array([[1.0, 1.0], [0.0, 0.0]])
    found = resampled_auc(np.array([2.0, 3.0]), np.array([0.0, 1.0]), counts, counts)
    assert found[0] == 1 and np.isnan(found[1])
    assert np.isnan(resampled_paired_accuracy(np.array([2.0, 3.0]), np.array([0.0, 1.0]), counts)[1])


def test_intervals_are_those_of_scipys_bootstrap():
    values = np.random.default_rng(6).gamma(2.0, size=60)
    found = mean_interval(values, resamples(60, 20_000, seed=1))
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.02 * (theirs.high - theirs.low))


def test_ratings_are_a_logistic_regression_on_who_met_whom():
    wins = np.random.default_rng(4).integers(3, 30, size=(4, 4)).astype(float)
    met = [(i, j) for i in range(4) for j in range(4) if i != j]
    design = np.array([np.eye(4)[i] - np.eye(4)[j] for i, j in met])
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10)
    counts = np.array([wins[i, j] for i, j in met])
    model.fit(np.concatenate([design, -design]), np.repeat([1, 0], len(met)), np.concatenate([counts, counts]))
    found = model.coef_[0]
    assert bradley_terry(wins, prior_ties=0) == pytest.approx(found - found.mean(), abs=1e-3)


def test_logistic_is_that_of_the_labels_where_rows_are_many():
    rng = np.random.default_rng(0)
    good, bad = rng.normal(1.0, 1.0, 400), rng.normal(0.0, 1.0, 800)
    slope, intercept = logistic(good, bad)
    model = LogisticRegression(C=np.inf, class_weight="balanced")
    model.fit(np.concatenate([good, bad])[:, None], [1] * 400 + [0] * 800)
    assert slope == pytest.approx(model.coef_[0, 0], rel=0.03)
    assert intercept == pytest.approx(model.intercept_[0], abs=0.03)


@settings(deadline=None)
@given(scores, scores)
def test_logistic_solves_its_equations(good, bad):
    """The soft targets and what is predicted have one mean, and one covariance with the scores."""
    good, bad = np.array(good, dtype=float), np.array(bad, dtype=float)
    slope, intercept = logistic(good, bad)
    raw = np.concatenate([good, bad])
    assert np.isfinite([slope, intercept]).all() and slope >= 0
    if slope == 0:
        assert intercept == 0
        return
    target = np.repeat([(len(good) + 1) / (len(good) + 2), 1 / (len(bad) + 2)], [len(good), len(bad)])
    weight = np.repeat([0.5 / len(good), 0.5 / len(bad)], [len(good), len(bad)])
    z = (raw - raw.mean()) / raw.std()
    left = weight * (target - 1 / (1 + np.exp(-(slope * raw + intercept))))
    assert left.sum() == pytest.approx(0, abs=1e-3) and (left * z).sum() == pytest.approx(0, abs=1e-3)


def test_logistic_follows_the_scale_of_the_scores():
    rng = np.random.default_rng(1)
    good, bad = rng.normal(1.0, 1.0, 60), rng.normal(0.0, 1.0, 90)
    slope, intercept = logistic(good, bad)
    stretched, moved = logistic(100 * good + 7, 100 * bad + 7)
    assert stretched == pytest.approx(slope / 100) and moved == pytest.approx(intercept - slope * 0.07)


def test_logistic_gives_both_classes_the_same_weight():
    good, bad = np.array([1.0, 2.0, 3.0] * 100), np.array([-1.0, 0.0, 1.0] * 100)
    slope, intercept = logistic(good, bad)
    assert slope * 1.0 + intercept == pytest.approx(0, abs=1e-6)  # halfway between the two
    slope, intercept = logistic(good, np.tile(bad, 50))
    assert slope * 1.0 + intercept == pytest.approx(0, abs=0.1)  # log 50 without the weights


def test_logistic_stays_finite_where_the_classes_do_not_overlap():
    slope, intercept = logistic(np.array([5.0, 6.0, 7.0]), np.array([-3.0, -2.0]))
    assert 0 < slope < 10 and np.isfinite(intercept)
