"""Planted judges: the ones that know are trusted, the ones that look at the order or at nothing are not."""

import math
import random
from dataclasses import replace

import pytest

from model_card.judging.contrast_kinds import MODEL_MADE
from model_card.judging.facts import TIE, Calibration, JudgeFacts, Verdict
from model_card.judging.judge import Judge, Raw, both_orders, calibrated
from model_card.statistics import Interval
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from tests.model_card.judging.test_calibration import made

CONTRASTS = made(60)
GOOD = {c.good["ad_copy"] for c in CONTRASTS}
#: What the planted judges score: a judge need not score every metric that there is.
SCORED = ("pv", "naturalness", "creativity")
ROW = {"product": "우산", "values": ["든든한", "가벼운"], "ad_copy": "비보다 먼저 펴지는 마음"}


def is_good(row):
    return row["values"] == ["조용한"] and row["ad_copy"] in GOOD


def scored(score):
    """A raw judge that scores each row by itself, and the same in all metrics."""
    return lambda rows: [Raw(dict.fromkeys(METRICS, float(score(row)))) for row in rows]


def trial(raw, prefers=None, seed=1, contrasts=CONTRASTS, duels=None):
    asked = {"prefers": prefers, "duels": duels, "bootstrap": 50, "seed": seed}
    return calibrated("j", "geval", "samples", raw, contrasts, samples=3, **asked)


def in_order(*metrics):
    """Facts of a judge whose raw scores are log-odds; `metrics` can be trusted."""
    sure = Interval(1, 1, 1)
    calibration = {metric: Calibration(1.0, 0.0, sure, sure, {}, 300, metric in metrics) for metric in SCORED}
    return JudgeFacts("j", "likelihood", "likelihood", 1, calibration)


def odds(score):
    return math.log(score / (1 - score))


def by_line(table):
    """A raw judge whose calibrated scores stand in a table: line -> scores in the order of SCORED, or None."""

    def raw(rows):
        found = [table[row["ad_copy"]] for row in rows]
        return [
            None if scores is None else Raw({m: odds(s) for m, s in zip(SCORED, scores, strict=True)})
            for scores in found
        ]

    return raw


def line(text):
    return {**ROW, "ad_copy": text}


class Counting:
    """A raw judge that remembers what it was asked, call by call."""

    def __init__(self, raw):
        self.raw, self.calls = raw, []

    def __call__(self, rows):
        self.calls.append([(row["product"], tuple(row["values"]), row["ad_copy"]) for row in rows])
        return self.raw(rows)


# Calibration


def test_a_judge_that_knows_is_reliable():
    judge = trial(scored(is_good))
    facts = judge.facts
    assert (facts.name, facts.family, facts.scoring, facts.samples) == ("j", "geval", "samples", 3)
    assert all(found.reliable and found.auc.value == found.paired.value == 1 for found in facts.calibration.values())
    assert facts.duels is facts.contradictions is facts.people is None
    good, bad = judge.verdicts([CONTRASTS[0].good, CONTRASTS[0].bad])
    assert all(good.scores[metric] > 0.9 > 0.1 > bad.scores[metric] for metric in METRICS)


def test_a_random_judge_is_never_reliable():
    for seed in range(20):
        rng = random.Random(seed)
        found = trial(scored(lambda row, rng=rng: rng.random()), seed=seed).facts.calibration
        assert not any(told.reliable for told in found.values())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sign", [1, -1])
def test_where_a_row_stands_does_not_help(sign, seed):
    """First is best, or last is: in the order of the pairs, the good row of each would always win."""

    def raw(rows):
        return [Raw(dict.fromkeys(METRICS, -sign * place / len(rows))) for place, _ in enumerate(rows)]

    for found in trial(raw, seed=seed).facts.calibration.values():
        assert not found.reliable
        assert abs(found.auc.value - 0.5) < 0.2 and abs(found.paired.value - 0.5) < 0.2


def test_calibration_shows_each_row_once_and_all_in_one_call():
    asked = Counting(scored(is_good))
    trial(asked)
    (shown,) = asked.calls
    rows = [row for c in CONTRASTS for row in (c.good, c.bad)]
    assert sorted(shown) == sorted({(row["product"], tuple(row["values"]), row["ad_copy"]) for row in rows})


def test_the_seed_decides_the_order():
    one, same, other = Counting(scored(is_good)), Counting(scored(is_good)), Counting(scored(is_good))
    for asked, seed in ((one, 1), (same, 1), (other, 2)):
        trial(asked, seed=seed)
    assert one.calls == same.calls != other.calls


def test_rows_that_it_will_not_score_are_left_out():
    def raw(rows):
        return [None if row["product"] in ("상품0", "상품1") else Raw(dict.fromkeys(METRICS, 1.0)) for row in rows]

    found = trial(raw).facts.calibration
    models = 60 * 3
    assert found["pv"].n == 58 * 3 + models and found["creativity"].n == (58 + 60) * 2 + models


def test_a_kind_without_a_contrast_is_an_error():
    with pytest.raises(HanjulError, match="No contrast of the kind shuffled was scored: naturalness"):
        trial(lambda rows: [None if "shuffled" in row["ad_copy"] else Raw(dict.fromkeys(METRICS, 1.0)) for row in rows])


@pytest.mark.parametrize("more", [-1, 1])
def test_another_number_of_answers_is_an_error(more):
    with pytest.raises(ValueError, match="zip"):
        trial(lambda rows: [Raw(dict.fromkeys(METRICS, 1.0))] * (len(rows) + more))


# Comparison, on the contrast set

KNOWS = scored(is_good)


def preferring(score):
    """Prefers the line with the higher score."""

    def prefers(pairs):
        leads = [score(first) - score(second) for first, second in pairs]
        return [0.5 if lead == 0 else float(lead > 0) for lead in leads]

    return prefers


def test_a_judge_that_prefers_good_lines():
    facts = trial(KNOWS, preferring(is_good)).facts
    assert facts.duels == Interval(1, 1, 1) and facts.contradictions == 0


def test_a_judge_that_prefers_bad_lines():
    facts = trial(KNOWS, preferring(lambda row: -is_good(row))).facts
    assert facts.duels == Interval(0, 0, 0) and facts.contradictions == 0


def test_a_judge_that_prefers_nothing():
    facts = trial(KNOWS, preferring(lambda row: 0)).facts
    assert facts.duels == Interval(0.5, 0.5, 0.5) and facts.contradictions == 0


@pytest.mark.parametrize("answer", [1.0, 0.0])
def test_a_judge_that_looks_at_the_order_is_half_right_and_contradicts_itself(answer):
    facts = trial(KNOWS, lambda pairs: [answer] * len(pairs)).facts
    assert facts.duels == Interval(0.5, 0.5, 0.5) and facts.contradictions == 1


def test_a_judge_that_sees_some_pairs_only():
    """It knows slogans; elsewhere the first line wins."""

    def prefers(pairs):
        return [
            float(is_good(first)) if "worn_out" in first["ad_copy"] + second["ad_copy"] else 1.0
            for first, second in pairs
        ]

    facts = trial(KNOWS, prefers).facts
    slogans, shown = 60, 60 * 5
    assert facts.duels.value == pytest.approx((slogans + (shown - slogans) / 2) / shown)
    half = 1.96 * math.sqrt(0.2 * 0.8 / 4 / shown)  # one in five is right, the others half
    assert facts.duels.high - facts.duels.low == pytest.approx(2 * half, rel=0.3)
    assert facts.duels.low < facts.duels.value < facts.duels.high
    assert facts.contradictions == pytest.approx((shown - slogans) / shown)


def test_pairs_are_shown_in_both_orders_and_only_with_two_lines_for_one_pair():
    seen = []

    def prefers(pairs):
        seen.extend((first["ad_copy"], second["ad_copy"]) for first, second in pairs)
        return [1.0] * len(pairs)

    trial(KNOWS, prefers)
    of_one_pair = [c for c in CONTRASTS if c.kind not in ("other_value", MODEL_MADE)]
    wanted = [(c.good["ad_copy"], c.bad["ad_copy"]) for c in of_one_pair]
    assert sorted(seen) == sorted([*wanted, *((bad, good) for good, bad in wanted)])


def test_pairs_that_it_will_not_compare_are_left_out():
    def prefers(pairs):
        silent = ("shuffled", "template")  # the first in one order, the second in the other
        return [
            None
            if silent[0] in first["ad_copy"] or silent[1] in second["ad_copy"]
            else float(is_good(first) and "worn_out" not in second["ad_copy"])
            for first, second in pairs
        ]

    facts = trial(KNOWS, prefers).facts
    # other_product and wrong_ending are won; against a cliché the second always wins
    assert facts.duels.value == pytest.approx((120 + 60 / 2) / 180) and facts.contradictions == pytest.approx(60 / 180)


@pytest.mark.field
@pytest.mark.parametrize(("duels", "shown"), [(None, 240), (1000, 240), (240, 240), (50, 50), (10, 10)])
def test_comparisons_are_drawn_by_seed(duels, shown):
    def asked(seed):
        seen = []

        def prefers(pairs):
            seen.extend((first["ad_copy"], second["ad_copy"]) for first, second in pairs)
            return [float(is_good(first)) for first, _ in pairs]

        return seen, trial(KNOWS, prefers, seed, made(48), duels)

    seen, judge = asked(1)
    assert len(seen) == 2 * shown and judge.facts.compared_contrasts == shown and judge.duels == duels
    assert asked(1)[0] == seen
    assert (set(asked(2)[0]) == set(seen)) is (shown == 240)


@pytest.mark.field
@pytest.mark.parametrize(("duels", "reliable"), [(10, False), (13, True), (30, True)])
def test_few_right_answers_do_not_make_a_judge_that_compares_reliably(duels, reliable):
    facts = trial(KNOWS, lambda pairs: [float(is_good(first)) for first, _ in pairs], duels=duels).facts
    assert facts.duels.value == 1 and facts.compared_contrasts == duels
    assert facts.compares_reliably is facts.wins_reliably is reliable


def test_a_judge_that_never_compares():
    facts = trial(KNOWS, lambda pairs: [None] * len(pairs)).facts
    assert facts.duels is facts.contradictions is None


# Verdicts


def test_verdicts_are_calibrated_and_keep_reasons():
    facts = in_order(*SCORED)
    facts.calibration["pv"] = replace(facts.calibration["pv"], slope=2.0, intercept=-1.0)
    raw = Raw({"pv": 1.0, "naturalness": 0.0, "creativity": odds(0.8)}, {"pv": "비가 보인다"})
    (verdict,) = Judge(facts, lambda rows: [raw for _ in rows]).verdicts([ROW])
    assert verdict.scores == pytest.approx({"pv": 1 / (1 + math.exp(-1)), "naturalness": 0.5, "creativity": 0.8})
    assert verdict.reasons == {"pv": "비가 보인다"}


def test_each_line_is_scored_once():
    asked = Counting(by_line({"a": (0.2,) * 3, "b": None, "c": (0.6,) * 3}))
    judge = Judge(in_order("pv"), asked)
    first = judge.verdicts([line("a"), line("b"), line("a"), line("b")])
    assert [found and found.scores["pv"] for found in first] == [pytest.approx(0.2), None] * 2
    again = judge.verdicts([line("b"), line("c"), line("a")])
    assert [found and found.scores["pv"] for found in again] == [None, pytest.approx(0.6), pytest.approx(0.2)]
    judge.compare([(line("a"), line("c")), (line("c"), line("b"))])
    judge.verdicts([])
    assert [[text for _, _, text in call] for call in asked.calls] == [["a", "b"], ["c"]]


@pytest.mark.parametrize("change", [{"product": "치마"}, {"values": ["든든한"]}, {"values": ["가벼운", "든든한"]}])
def test_a_line_under_another_pair_is_another_line(change):
    asked = Counting(scored(lambda row: 0))
    judge = Judge(in_order(), asked)
    judge.verdicts([ROW])
    judge.verdicts([{**ROW, **change}, ROW])
    assert [len(call) for call in asked.calls] == [1, 1]


def test_a_row_with_more_columns_is_the_same_line():
    asked = Counting(scored(lambda row: 0))
    judge = Judge(in_order(), asked)
    assert judge.verdicts([ROW, {**ROW, "tone": "calm"}]) == [Verdict(dict.fromkeys(SCORED, 0.5), {})] * 2
    assert [len(call) for call in asked.calls] == [1]


# Comparison of two lines


@pytest.mark.parametrize(
    ("lead", "wanted"), [(0.0, 0.5), (TIE * 0.99, 0.5), (-TIE * 0.99, 0.5), (TIE * 1.01, 1), (-TIE * 1.01, 0)]
)
def test_scores_nearer_than_a_tie_are_one(lead, wanted):
    judge = Judge(in_order(*SCORED), by_line({"a": (0.5 + lead,) * 3, "b": (0.5,) * 3}))
    assert judge.compare([(line("a"), line("b"))]) == [wanted]


@pytest.mark.parametrize(
    ("trusted", "wanted"),
    [
        (["pv"], 1),
        (["naturalness"], 0),
        (["creativity"], 0.5),
        (["pv", "naturalness"], 0.5),
        (["pv", "creativity"], 1),
        (["naturalness", "creativity"], 0),
        (SCORED, 0.5),
        ([], 0.5),
    ],
)
def test_only_metrics_that_can_be_trusted_are_compared(trusted, wanted):
    judge = Judge(in_order(*trusted), by_line({"a": (0.6, 0.4, 0.5), "b": (0.5, 0.5, 0.5)}))
    assert judge.compare([(line("a"), line("b"))]) == [wanted]


def test_where_no_metric_can_be_trusted_all_are_compared_and_it_is_known():
    assert (in_order().trusted, in_order().compared, in_order().compares_reliably) == ([], list(SCORED), False)
    judge = Judge(in_order(), by_line({"a": (0.6, 0.4, 0.4), "b": (0.5, 0.5, 0.5)}))
    assert judge.compare([(line("a"), line("b")), (line("b"), line("a"))]) == [0, 1]


@pytest.mark.parametrize(
    ("metrics", "right", "reliable"),
    [(["pv"], None, True), (["pv"], 0.8, True), (["pv"], 0.7, False), ([], 0.9, False), ([], None, False)],
)
def test_comparisons_can_be_trusted_where_scores_can_and_the_good_line_wins(metrics, right, reliable):
    duels = None if right is None else Interval(right, right, right)
    assert replace(in_order(*metrics), duels=duels).compares_reliably is reliable


def test_comparisons_by_scores_stand_in_order_and_none_passes():
    judge = Judge(in_order(*SCORED), by_line({"a": (0.9,) * 3, "b": (0.1,) * 3, "refused": None}))
    a, b, refused = line("a"), line("b"), line("refused")
    pairs = [(a, b), (refused, a), (b, a), (a, refused), (refused, refused), (a, a)]
    assert judge.compare(pairs) == [1, None, 0, None, None, 0.5]
    assert judge.compare([]) == []


@pytest.mark.parametrize(
    ("straight", "turned", "wanted"),
    [
        (1, 0, 1),
        (0, 1, 0),
        (0.5, 0.5, 0.5),
        (1, 1, 0.5),  # the first both times
        (0, 0, 0.5),
        (1, 0.5, 0.5),
        (0.5, 1, 0.5),
        (None, 0, None),
        (1, None, None),
        (None, None, None),
    ],
)
def test_both_orders_have_to_agree(straight, turned, wanted):
    def prefers(pairs):
        return [straight if first["ad_copy"] == "a" else turned for first, _ in pairs]

    pairs = [(line("a"), line("b"))]
    assert both_orders(prefers, pairs) == [wanted]
    silent = Counting(scored(lambda row: 0))
    assert Judge(in_order(*SCORED), silent, prefers).compare(pairs) == [wanted]
    assert silent.calls == []  # a judge that compares is not asked for scores


def test_comparisons_stand_in_order():
    judge = Judge(in_order(), scored(lambda row: 0), preferring(lambda row: {"a": 3, "b": 2, "c": 2}[row["ad_copy"]]))
    a, b, c = map(line, "abc")
    assert judge.compare([(a, b), (b, a), (b, c), (c, a)]) == [1, 0, 0.5, 0]
    assert judge.compare([]) == []
