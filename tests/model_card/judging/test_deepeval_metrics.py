"""The metrics of a calibrated judge inside deepeval's own runners, fed from one batch."""

import asyncio
from math import exp

import pytest
from deepeval import assert_test, evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig, ErrorConfig

from model_card.judging.deepeval_metrics import PV, Creativity, Naturalness, UnjudgedError, as_test_case
from model_card.judging.facts import Calibration, JudgeFacts
from model_card.judging.judge import Judge, Raw
from model_card.statistics import Interval
from pipelines.metrics import METRICS

LINES = [("우산", ["든든한"], "비보다 먼저 펴지는 마음"), ("제습기", ["보송한"], "지금 바로 만나보세요")]
FILTERED = ("이어폰", ["몰입"], "말할 수 없는 줄")
GOOD, BAD = 1 / (1 + exp(-(2 * 2 + 0.5))), 1 / (1 + exp(-(2 * -2 + 0.5)))


def calibration(auc):
    return Calibration(2.0, 0.5, Interval(auc, auc - 0.05, auc + 0.04), Interval(0.97, 0.9, 1.0), {}, 64, auc >= 0.75)


FACTS = JudgeFacts(
    "judge@1",
    "likelihood",
    "likelihood",
    1,
    {"pv": calibration(0.9), "naturalness": calibration(0.9), "creativity": calibration(0.6)},
)


class Judging:
    """Scores by whether the line is a cliché, and counts what it was asked; one line it will not score."""

    def __init__(self, reasons=None):
        self.batches = []
        self.reasons = reasons or {}

    def __call__(self, rows):
        self.batches.append(len(rows))
        return [
            None
            if row["ad_copy"] == FILTERED[2]
            else Raw(dict.fromkeys(METRICS, -2.0 if "지금 바로" in row["ad_copy"] else 2.0), self.reasons)
            for row in rows
        ]


@pytest.fixture
def raw():
    return Judging()


@pytest.fixture
def judge(raw):
    return Judge(FACTS, raw)


def rows():
    return [{"product": p, "values": v, "ad_copy": line} for p, v, line in LINES]


def evaluated(judge, lines, run_async=True, **options):
    return evaluate(
        [as_test_case(*line) for line in lines],
        [PV(judge), Naturalness(judge), Creativity(judge)],
        async_config=AsyncConfig(run_async=run_async),
        display_config=DisplayConfig(show_indicator=False, print_results=False, inspect_after_run=False),
        cache_config=CacheConfig(write_cache=False),
        **options,
    )


@pytest.mark.parametrize("run_async", [True, False])
def test_in_deepevals_evaluate(judge, raw, run_async):
    judge.verdicts(rows())
    result = evaluated(judge, LINES, run_async)
    assert raw.batches == [2]  # the batch before; no metric asked again
    by_input = {found.input: found for found in result.test_results}
    good, bad = by_input["상품: 우산\n가치: 든든한"], by_input["상품: 제습기\n가치: 보송한"]
    assert good.success and not bad.success
    assert [(m.name, m.success, m.score, m.evaluation_model) for m in good.metrics_data] == [
        (name, True, pytest.approx(GOOD), "judge@1") for name in ("PV", "Naturalness", "Creativity")
    ]
    assert [m.score for m in bad.metrics_data] == [pytest.approx(BAD)] * 3


def test_in_deepevals_assert_test(judge):
    assert_test(as_test_case(*LINES[0]), [PV(judge)], run_async=False)
    with pytest.raises(AssertionError, match="PV"):
        assert_test(as_test_case(*LINES[1]), [PV(judge)], run_async=False)


def test_a_line_without_a_score_is_an_error_that_deepeval_may_note(judge):
    with pytest.raises(UnjudgedError, match=r"judge@1 gives no score for '말할 수 없는 줄' \(이어폰\)"):
        PV(judge).measure(as_test_case(*FILTERED))
    result = evaluated(judge, [LINES[0], FILTERED], error_config=ErrorConfig(ignore_errors=True))
    by_input = {found.input: found for found in result.test_results}
    noted = by_input["상품: 이어폰\n가치: 몰입"].metrics_data
    assert [(m.score, m.success, "gives no score" in m.error) for m in noted] == [(None, False, True)] * 3
    assert by_input["상품: 우산\n가치: 든든한"].success


def test_measure_and_its_reason(judge):
    metric = PV(judge, threshold=0.99)
    score = metric.measure(as_test_case(*LINES[0]))
    assert score == metric.score == asyncio.run(Naturalness(judge).a_measure(as_test_case(*LINES[0])))
    assert not metric.is_successful()
    assert metric.reason == "바로 이 상품과 가치를 두고 쓴 카피로 읽힙니다. (채점 모델의 AUC 0.90)"


def test_the_reason_names_an_unreliable_judge(judge):
    metric = Creativity(judge)
    metric.measure(as_test_case(*LINES[1]))
    said = "상품과 가치를 그대로 옮겼거나 상투어에 가깝습니다."
    assert metric.reason == f"{said} (채점 모델의 AUC 0.60, 신뢰도 낮음)"


def test_the_judges_own_reason_goes_first():
    judge = Judge(FACTS, Judging({"pv": "비가 우산을 부른다."}))
    metrics = PV(judge), Naturalness(judge)
    for metric in metrics:
        metric.measure(as_test_case(*LINES[0]))
    assert [metric.reason for metric in metrics] == [
        "비가 우산을 부른다.",
        "문장이 자연스럽게 읽힙니다. (채점 모델의 AUC 0.90)",
    ]


def test_a_test_case_without_product_is_refused(judge):
    case = as_test_case(*LINES[0])
    case.metadata = None
    with pytest.raises(ValueError, match="no product and values"):
        PV(judge).measure(case)


def test_judge_scores_each_line_once_and_in_order(judge, raw):
    first = judge.verdicts([*rows(), *rows()])
    assert raw.batches == [2]
    assert first[:2] == first[2:] and first[0].scores["pv"] > first[1].scores["pv"]
    judge.verdicts([*rows(), {"product": "새것", "values": [], "ad_copy": "새 줄"}])
    assert raw.batches == [2, 1]
