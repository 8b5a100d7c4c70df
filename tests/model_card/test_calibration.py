"""Good judges are trusted, planted bad ones are not, and the numbers are the textbook's."""

import random

import numpy as np
import pytest

from model_card.calibration import KINDS, WORN_OUT, apply, auc, calibrate, contrast_set, logistic, shuffled, template
from pipelines.likelihood import DULL_LINES, RawScores

ROWS = [
    {"product": f"상품{n}", "values": ["조용한"], "ad_copy": f"한밤에도 {n}번쯤 깨지 않는 잠" if n else "한마디"}
    for n in range(40)
]
CONTRASTS = contrast_set(ROWS, seed=1)


def calibrated(score_good, score_bad, bootstrap=200):
    def raw(value):
        return RawScores(value, value, value)

    good = [raw(score_good(n)) for n in range(len(ROWS))]
    return calibrate(good, CONTRASTS, [raw(score_bad(c)) for c in CONTRASTS], bootstrap=bootstrap, seed=3)


def test_contrast_set_spoils_each_line_in_each_way():
    assert [c.kind for c in CONTRASTS if c.origin == 1] == ["other_product", "shuffled", "template", "worn_out"]
    assert [c.kind for c in CONTRASTS if c.origin == 0] == ["other_product", "template", "worn_out"]  # one word
    for contrast in CONTRASTS:
        row = ROWS[contrast.origin]
        assert contrast.bad["product"] == row["product"]
        assert contrast.bad["ad_copy"] != row["ad_copy"]
        if contrast.kind == "shuffled":
            assert sorted(contrast.bad["ad_copy"].split()) == sorted(row["ad_copy"].split())
    assert contrast_set(ROWS, seed=1) == CONTRASTS
    assert contrast_set(ROWS, seed=2) != CONTRASTS


def test_contrast_set_needs_two_products():
    with pytest.raises(ValueError, match="at least two products"):
        contrast_set(ROWS[:1] * 3, seed=1)


def test_worn_out_lines_of_the_test_are_not_those_the_scorer_was_shown():
    assert not set(WORN_OUT) & set(DULL_LINES)


def test_template_takes_the_particle_of_the_product():
    assert template("우산", ["튼튼"]) == "우산은 튼튼합니다"
    assert template("치마", ["편안", "가벼운"]) == "치마는 편안합니다"


def test_shuffled_is_none_where_there_is_no_other_order():
    assert shuffled("하나", random.Random(0)) is None
    assert shuffled("참 참", random.Random(0)) is None


def test_auc_is_the_share_of_pairs_in_order():
    good, bad = np.array([3.0, 1.0, 2.0]), np.array([0.0, 2.0])
    brute = np.mean([(g > b) + 0.5 * (g == b) for g in good for b in bad])
    assert auc(good, bad) == brute == pytest.approx(4.5 / 6)


def test_a_judge_that_knows_is_reliable():
    found = calibrated(lambda n: 1 + n % 5 / 10, lambda c: c.origin % 5 / 10)
    for metric, calibration in found.items():
        assert calibration.reliable and calibration.auc == calibration.auc_low == calibration.paired == 1
        assert set(calibration.parts) == set(KINDS[metric])
        assert calibration.n == 40
        assert apply(calibration, 1.2) > 0.9 > 0.1 > apply(calibration, 0.2)


def test_a_constant_judge_is_not_reliable_and_says_a_half():
    for calibration in calibrated(lambda n: 0.3, lambda c: 0.3).values():
        assert not calibration.reliable
        assert calibration.auc == calibration.paired == 0.5
        assert apply(calibration, 0.3) == apply(calibration, 99.0) == 0.5


def test_a_random_judge_is_not_reliable():
    rng = random.Random(5)
    for calibration in calibrated(lambda n: rng.random(), lambda c: rng.random()).values():
        assert not calibration.reliable
        assert calibration.auc_low < 0.5 < calibration.auc_high


def test_a_judge_that_prefers_bad_lines_says_a_half():
    for calibration in calibrated(lambda n: 0.0 + n / 100, lambda c: 1.0).values():
        assert calibration.auc == 0 and not calibration.reliable
        assert (calibration.slope, calibration.intercept) == (0.0, 0.0)


def test_one_blind_spot_is_enough_to_be_unreliable():
    """Creativity that knows templates but loves worn-out lines has a fair AUC over all and is still not reliable."""
    found = calibrated(lambda n: n / 100, lambda c: {"template": -1.0}.get(c.kind, n_mid(c)))["creativity"]
    assert found.auc >= 0.7 and found.parts["template"] == 1
    assert found.parts["worn_out"] < 0.75 and not found.reliable


def n_mid(contrast):
    return (contrast.origin * 7 % 40) / 100


def test_logistic_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    good, bad = rng.normal(1.0, 1.0, 400), rng.normal(0.0, 1.0, 800)
    slope, intercept = logistic(good, bad)
    model = linear_model.LogisticRegression(C=1e6, class_weight="balanced")
    model.fit(np.concatenate([good, bad])[:, None], [1] * 400 + [0] * 800)
    assert slope == pytest.approx(model.coef_[0, 0], rel=0.03)
    assert intercept == pytest.approx(model.intercept_[0], abs=0.03)


def test_logistic_stays_finite_where_the_classes_do_not_overlap():
    slope, intercept = logistic(np.array([5.0, 6.0, 7.0]), np.array([-3.0, -2.0]))
    assert 0 < slope < 10 and np.isfinite(intercept)
