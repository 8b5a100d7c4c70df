"""The metrics inside deepeval's own runners, fed from one batch."""

import asyncio

import pytest
from deepeval import assert_test, evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig

from model_card.judge import Judge, calibrated
from model_card.metrics import PV, Creativity, Naturalness, as_test_case
from pipelines.likelihood import RawScores
from tests.model_card.facts import calibration

LINES = [("우산", ["든든한"], "비보다 먼저 펴지는 마음"), ("제습기", ["보송한"], "지금 바로 만나보세요")]


class Raw:
    """Scores by whether the line is worn out, and counts what it was asked."""

    def __init__(self):
        self.batches = []

    def __call__(self, rows):
        self.batches.append(len(rows))
        return [RawScores(*[-2.0 if "지금 바로" in row["ad_copy"] else 2.0] * 3) for row in rows]


@pytest.fixture
def raw():
    return Raw()


@pytest.fixture
def judge(raw):
    return Judge(
        "judge@1", raw, {"pv": calibration(0.9), "naturalness": calibration(0.9), "creativity": calibration(0.6)}
    )


def rows():
    return [{"product": p, "values": v, "ad_copy": line} for p, v, line in LINES]


@pytest.mark.parametrize("run_async", [True, False])
def test_in_deepevals_evaluate(judge, raw, run_async):
    judge.scores(rows())
    result = evaluate(
        [as_test_case(*line) for line in LINES],
        [PV(judge), Naturalness(judge), Creativity(judge)],
        async_config=AsyncConfig(run_async=run_async),
        display_config=DisplayConfig(show_indicator=False, print_results=False, inspect_after_run=False),
        cache_config=CacheConfig(write_cache=False),
    )
    assert raw.batches == [2]  # the batch before; no metric asked again
    by_input = {found.input: found for found in result.test_results}
    good, bad = by_input["상품: 우산\n가치: 든든한"], by_input["상품: 제습기\n가치: 보송한"]
    assert good.success and not bad.success
    assert [(m.name, m.success, m.evaluation_model) for m in good.metrics_data] == [
        ("PV", True, "judge@1"),
        ("Naturalness", True, "judge@1"),
        ("Creativity", True, "judge@1"),
    ]
    assert good.metrics_data[0].score == pytest.approx(1 / (1 + 2.718281828 ** -(2 * 2 + 0.5)))


def test_in_deepevals_assert_test(judge):
    assert_test(as_test_case(*LINES[0]), [PV(judge)], run_async=False)
    with pytest.raises(AssertionError, match="PV"):
        assert_test(as_test_case(*LINES[1]), [PV(judge)], run_async=False)


def test_measure_and_its_reason(judge):
    metric = PV(judge, threshold=0.99)
    score = metric.measure(as_test_case(*LINES[0]))
    assert score == metric.score == asyncio.run(Naturalness(judge).a_measure(as_test_case(*LINES[0])))
    assert not metric.is_successful()
    assert metric.reason == "이 상품과 가치를 알고 쓴 줄로 읽힙니다. (채점 모델의 AUC 0.90)"


def test_the_reason_names_an_unreliable_judge(judge):
    metric = Creativity(judge)
    metric.measure(as_test_case(*LINES[1]))
    said = "상품과 가치를 그대로 옮겼거나 흔한 상투어에 가깝습니다."
    assert metric.reason == f"{said} (채점 모델의 AUC 0.60, 신뢰도 낮음)"


def test_a_test_case_without_product_is_refused(judge):
    case = as_test_case(*LINES[0])
    case.metadata = None
    with pytest.raises(ValueError, match="no product and values"):
        PV(judge).measure(case)


def test_judge_scores_each_line_once_and_in_order(judge, raw):
    first = judge.scores([*rows(), *rows()])
    assert raw.batches == [2]
    assert first[:2] == first[2:] and first[0]["pv"] > first[1]["pv"]
    judge.scores([*rows(), {"product": "새것", "values": [], "ad_copy": "새 줄"}])
    assert raw.batches == [2, 1]


def test_calibrated_judge_scores_its_contrast_set_in_one_batch(raw):
    held_out = [{"product": f"상품{n}", "values": ["조용한"], "ad_copy": f"{n}번째 밤도 고요히"} for n in range(10)]
    judge = calibrated("judge@1", raw, held_out, bootstrap=100, seed=1)
    assert raw.batches == [10 + 40]
    assert judge.calibration["pv"].auc == 0.5 and not judge.calibration["pv"].reliable
    assert judge.calibration["creativity"].parts["worn_out"] > 0.5
