"""Good judges are trusted, planted bad ones are not, and the numbers are the textbook's."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from model_card.judging import facts
from model_card.judging.calibration import apply, calibrate
from model_card.judging.contrast_kinds import CONTRAST_KINDS, MODEL_MADE
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import FEW, FLOOR, Calibration
from model_card.statistics import Interval, logistic
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS


def made(n):
    """Contrasts of n rows, each perturbed in each way, of n slogans, and of n lines by models, each with two bad ones.

    Bad lines name their kind.
    """
    found = []
    of_rows = [kind for kind in CONTRAST_KINDS if kind not in ("worn_out", MODEL_MADE)]
    for origin in range(3 * n):
        good = {"product": f"상품{origin}", "values": ["조용한"], "ad_copy": f"한밤에도 {origin}번쯤"}
        for place, kind in enumerate([of_rows, ["worn_out"], [MODEL_MADE] * 2][origin // n]):
            if kind == "other_value":
                bad = {**good, "values": [f"다른 {origin}"]}
            elif kind == MODEL_MADE:
                bad = {"product": f"물건{origin}", "values": ["빠른"], "ad_copy": f"{kind} {origin} {place}"}
            else:
                bad = {**good, "ad_copy": f"{kind} {origin}"}
            found.append(Contrast(kind, origin, good, bad))
    return found


CONTRASTS = made(40)


def calibrated(
    good: Callable[[Contrast], float | None],
    bad: Callable[[Contrast], float | None],
    contrasts=CONTRASTS,
    bootstrap=100,
    seed=3,
) -> dict[str, Calibration]:
    """What a judge is worth that says the same in all metrics; None where it will not say."""

    def scores(judge):
        return [None if (score := judge(c)) is None else dict.fromkeys(METRICS, score) for c in contrasts]

    return calibrate(contrasts, scores(good), scores(bad), bootstrap=bootstrap, seed=seed)


def test_a_judge_that_knows_is_reliable():
    found = calibrated(lambda c: 1 + c.origin % 5 / 10, lambda c: c.origin % 5 / 10)
    assert list(found) == list(METRICS)
    for metric, known in found.items():
        assert known.reliable and known.auc == known.paired == Interval(1, 1, 1)
        assert list(known.kinds) == list(METRICS[metric].contrasts)
        for kind, told in known.kinds.items():
            assert (told.auc, told.paired, told.n) == (1, 1, 80 if kind == MODEL_MADE else 40)
        assert apply(known, 1.2) > 0.9 > 0.1 > apply(known, 0.2)


def test_log_odds_stay_where_good_lines_are_rare():
    def scores(value):
        return [{"sense": value} for _ in CONTRASTS]

    even, kept = (
        calibrate(CONTRASTS, scores(-1.0), scores(-4.0), log_odds=stay, bootstrap=100, seed=3)["sense"]
        for stay in (False, True)
    )
    assert (kept.slope, kept.intercept) == (1, 0) and kept.auc == even.auc
    assert apply(kept, -3.0) == pytest.approx(0.0474, abs=1e-4) and apply(even, -1.0) > 0.5


def test_items_are_good_rows_and_what_stands_beside_them():
    models = 40 + 80
    found = calibrated(lambda c: 1, lambda c: 0)
    assert {metric: known.n for metric, known in found.items()} == {
        "pv": 40 + 80 + models,
        "naturalness": 40 + 80 + models,
        "creativity": 80 + 80 + models,  # slogans are rows of their own
        "sense": models,
    }


def test_a_constant_judge_is_not_reliable_and_says_a_half():
    for known in calibrated(lambda c: 0.3, lambda c: 0.3).values():
        assert not known.reliable
        assert known.auc == known.paired == Interval(0.5, 0.5, 0.5)
        assert apply(known, 0.3) == apply(known, 99.0) == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_random_judge_is_not_reliable(seed):
    rng = random.Random(seed)
    for known in calibrated(lambda c: rng.random(), lambda c: rng.random()).values():
        assert not known.reliable
        for share in (known.auc, known.paired):
            assert abs(share.value - 0.5) < 0.2 and share.low < share.value < share.high


def test_a_judge_that_prefers_bad_lines_says_a_half():
    for known in calibrated(lambda c: c.origin / 1000, lambda c: 1.0).values():
        assert known.auc == known.paired == Interval(0, 0, 0) and not known.reliable
        assert (known.slope, known.intercept) == (0.0, 0.0)


def test_each_kind_counts_the_same_and_the_figures_are_those_by_hand():
    rows = [  # kind, origin, good, bad
        ("other_product", 0, 3.0, 0.0),
        ("other_product", 1, 1.0, 2.0),
        ("other_product", 2, 2.0, 2.0),
        ("other_value", 0, 3.0, 5.0),
        (MODEL_MADE, 4, 2.0, 1.0),
        (MODEL_MADE, 5, 0.0, -1.0),
        (MODEL_MADE, 4, 2.0, 3.0),
    ]
    others = [("shuffled", 0, 1, 0), ("wrong_ending", 0, 1, 0), ("template", 0, 1, 0), ("worn_out", 3, 1, 0)]
    row = CONTRASTS[0].good
    contrasts = [Contrast(kind, origin, row, row) for kind, origin, _, _ in [*rows, *others]]
    good, bad = ([dict.fromkeys(METRICS, found[at]) for found in [*rows, *others]] for at in (2, 3))
    found = calibrate(contrasts, good, bad, bootstrap=20, seed=1)["pv"]
    # 3 beats three; 1 beats one; 2 beats one and ties with two
    assert found.kinds["other_product"].auc == pytest.approx((3 + 1 + 2) / 9)
    assert found.kinds["other_product"].paired == pytest.approx(1.5 / 3)
    assert (found.kinds["other_value"].auc, found.kinds["other_value"].paired) == (0, 0)
    # 2 beats two of three and stands once, though beside two; 0 beats one
    assert found.kinds[MODEL_MADE].auc == pytest.approx((2 + 1) / 6)
    assert found.kinds[MODEL_MADE].paired == pytest.approx(2 / 3)
    assert found.auc.value == pytest.approx((6 / 9 + 0 + 3 / 6) / 3)
    assert found.paired.value == pytest.approx((1.5 / 3 + 0 + 2 / 3) / 3)
    assert {kind: told.n for kind, told in found.kinds.items()} == {"other_product": 3, "other_value": 1, MODEL_MADE: 3}
    assert found.n == 5 + 7
    good, bad = np.array([3.0, 1.0, 2.0, 2.0, 0.0]), np.array([0.0, 2.0, 2.0, 5.0, 1.0, -1.0, 3.0])
    assert (found.slope, found.intercept) == logistic(good, bad)


@pytest.mark.parametrize(("worn_out", "reliable"), [(0.2, False), (0.3, True)])
def test_a_blind_spot_weighs_by_kinds_and_not_by_lines(worn_out, reliable):
    """Templates are told always, clichés by chance; there are ten times as many templates."""
    contrasts = [c for c in made(100) if c.kind != "worn_out" or c.origin >= 180]
    found = calibrated(
        lambda c: (c.origin % 20) / 20 if c.kind == "worn_out" else 1,
        lambda c: 1 - worn_out - 1 / 40 if c.kind == "worn_out" else -1,
        contrasts,
    )["creativity"]
    assert {kind: told.n for kind, told in found.kinds.items()} == {"template": 100, "worn_out": 20, MODEL_MADE: 200}
    assert found.kinds["template"].auc == 1 and found.kinds["worn_out"].auc == pytest.approx(worn_out)
    assert found.auc.value == pytest.approx((1 + worn_out + 1) / 3)
    assert found.reliable is reliable


def test_reliable_begins_at_the_floor(monkeypatch):
    def judge():
        """A good row outscores three of four bad ones."""
        return calibrated(lambda c: 1, lambda c: 2 * (c.origin % 4 == 0))

    assert {known.auc.value for known in judge().values()} == {0.75}
    for floor, reliable in [(0.75, True), (0.7501, False)]:
        monkeypatch.setattr(facts, "FLOOR", floor)
        assert {known.reliable for known in judge().values()} == {reliable}


@pytest.mark.parametrize(("told", "reliable"), [(0.7, False), (0.8, True)])
def test_a_judge_that_fails_on_what_models_write_is_not_reliable(told, reliable):
    """However well it tells the other kinds."""
    found = calibrated(
        lambda c: (c.origin % 20) / 20 if c.kind == MODEL_MADE else 1,
        lambda c: 1 - told - 1 / 40 if c.kind == MODEL_MADE else -1,
        made(100),
    )
    for metric, known in found.items():
        assert known.kinds[MODEL_MADE].auc == pytest.approx(told)
        assert (known.reliable, known.fails_on_models) == (reliable, not reliable)
        assert known.auc.value >= FLOOR or metric == "sense"


def noisy(n, seed=0):
    rng = random.Random(seed)
    return calibrated(lambda c: rng.gauss(0.8, 1), lambda c: rng.gauss(0, 1), made(n), bootstrap=200)


def test_intervals_hold_the_value_and_shrink_with_the_rows():
    few, many = noisy(30), noisy(270)
    for metric in METRICS:
        for one, other in ((few[metric].auc, many[metric].auc), (few[metric].paired, many[metric].paired)):
            assert 0 <= one.low < one.value < one.high <= 1
            assert other.low < other.value < other.high
            assert other.high - other.low < 0.5 * (one.high - one.low)  # a third, but for chance


def test_intervals_are_of_95_percent():
    """Both lines beside every other good one are told: paired accuracy is a share among 100 good lines."""
    found = calibrated(lambda c: 0, lambda c: 1 - 2 * (c.origin % 2), made(100), bootstrap=1000)["sense"].paired
    half = 1.96 * math.sqrt(0.5 * 0.5 / 100)
    assert found.value == 0.5
    assert found.high - 0.5 == pytest.approx(half, rel=0.15) and 0.5 - found.low == pytest.approx(half, rel=0.15)


def test_what_stands_beside_one_row_is_drawn_together():
    """One of the two kinds is told of each row, in turn, and one of two lines beside each by a model: drawn together,
    they are always half right."""
    turn = {"other_product": 0, "other_value": 1, "shuffled": 0, "wrong_ending": 1}

    def bad(contrast):
        if contrast.kind == MODEL_MADE:
            return -1 if contrast.bad["ad_copy"].endswith("0") else 1
        return -1 if contrast.origin % 2 == turn.get(contrast.kind, 0) else 1

    found = calibrated(lambda c: 0, bad)
    assert found["pv"].paired == found["naturalness"].paired == found["sense"].paired == Interval(0.5, 0.5, 0.5)
    assert found["creativity"].paired.low < 0.5 < found["creativity"].paired.high  # slogans are drawn apart


def test_the_seed_decides():
    assert noisy(30) == noisy(30)
    one, other = (calibrated(lambda c: c.origin * 7 % 40, lambda c: c.origin * 11 % 40, seed=seed) for seed in (1, 2))
    assert one["pv"].auc.value == other["pv"].auc.value and one["pv"].auc != other["pv"].auc


@pytest.mark.field
@pytest.mark.parametrize(("n", "reliable"), [(2, False), (8, False), (12, False), (13, True), (19, True), (20, True)])
def test_of_few_lines_chance_may_sort_all_rightly(n, reliable):
    """All told rightly: 0.975 of judges that tell 0.75 of them would have missed one of 13 or more."""
    found = calibrated(lambda c: 1, lambda c: 0, made(n))["naturalness"]
    exact = 0.025 ** (1 / n) if n < FEW else 1
    assert found.auc.value == found.auc.high == 1 and found.auc.low == found.paired.low == pytest.approx(exact)
    assert (found.reliable, found.too_few) == (reliable, not reliable)


@pytest.mark.field
def test_the_interval_of_few_lines_is_at_least_that_of_the_exact_test():
    few, many = noisy(12), noisy(FEW)
    for key in METRICS:
        one, other = few[key].auc, many[key].auc
        assert one.low < one.value < one.high and one.high - one.low > other.high - other.low
        assert not few[key].reliable or one.low >= FLOOR


@pytest.mark.field
@pytest.mark.parametrize("n", [2, 4, 8, 16])
def test_of_few_lines_no_judge_that_guesses_is_reliable(n):
    for seed in range(40):
        rng = random.Random(seed)
        found = calibrated(lambda c, rng=rng: rng.random(), lambda c, rng=rng: rng.random(), made(n))
        assert not any(known.reliable for known in found.values())


def test_a_judge_that_is_wrong_is_not_called_too_little_tried():
    found = calibrated(lambda c: 0, lambda c: 1, made(6))
    assert not any(known.reliable or known.too_few for known in found.values())


def test_rows_that_the_judge_would_not_score_are_left_out():
    refused = {0, 7, 20}
    rest = [c for c in CONTRASTS if c.origin not in refused]

    def judge(wrapped, refuse):
        return lambda c: None if refuse and c.origin in refused else wrapped(c)

    good, bad = (lambda c: c.origin * 7 % 40), (lambda c: c.origin * 11 % 40)
    wanted = calibrated(good, bad, rest)
    assert calibrated(judge(good, True), bad) == wanted
    assert calibrated(good, judge(bad, True)) == wanted
    assert wanted["pv"].n == 37 + 74 + 120


@pytest.mark.parametrize(
    ("kind", "metric"),
    [(kind, next(key for key, metric in METRICS.items() if kind in metric.contrasts)) for kind in CONTRAST_KINDS],
)
def test_a_kind_without_a_contrast_is_an_error(kind, metric):
    message = f"No contrast of the kind {kind} was scored: {metric} cannot be calibrated"
    with pytest.raises(HanjulError, match=message):
        calibrated(lambda c: 1, lambda c: None if c.kind == kind else 0)
    with pytest.raises(HanjulError, match=message):
        calibrated(lambda c: None if c.kind == kind else 1, lambda c: 0)
    with pytest.raises(HanjulError, match=message):
        calibrated(lambda c: 1, lambda c: 0, [c for c in CONTRASTS if c.kind != kind])


def test_metrics_are_judged_apart():
    good = [{"pv": 1.0, "naturalness": 0.0, "creativity": -1.0} for _ in CONTRASTS]
    bad = [dict.fromkeys(METRICS, 0.0) for _ in CONTRASTS]
    found = calibrate(CONTRASTS, good, bad, bootstrap=10, seed=1)
    assert {metric: known.auc.value for metric, known in found.items()} == {
        "pv": 1,
        "naturalness": 0.5,
        "creativity": 0,
    }
    assert [metric for metric, known in found.items() if known.reliable] == ["pv"] and 0.5 < FLOOR < 1


def known(slope, intercept):
    return Calibration(slope, intercept, Interval(1, 1, 1), Interval(1, 1, 1), {}, 300, True)


def test_apply_is_the_logistic_function():
    assert apply(known(2.0, -1.0), 0.5) == 0.5
    assert apply(known(2.0, -1.0), 1.5) == pytest.approx(1 / (1 + math.exp(-2)))
    assert apply(known(2.0, -1.0), -0.5) == pytest.approx(1 / (1 + math.exp(2)))


@pytest.mark.parametrize(("raw", "wanted"), [(1e6, 1), (-1e6, 0), (math.inf, 1), (-math.inf, 0)])
def test_apply_does_not_overflow(raw, wanted):
    with np.errstate(all="raise"):
        assert apply(known(2.0, -1.0), raw) == pytest.approx(wanted, abs=1e-12)
