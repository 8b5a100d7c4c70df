"""PV, Naturalness and Creativity as deepeval metrics: `deepeval.evaluate([as_test_case(...)], [PV(judge), ...])`.

These read calibrated scores from a `Judge`; `geval` has the same three as G-Eval metrics, uncalibrated.
deepeval reads its telemetry opt-outs at import: set them before this module is imported (`scripts.core.env.opt_out`).
"""

from __future__ import annotations

from typing import Any

from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase, SingleTurnParams

from model_card.comparison.report import METRICS
from model_card.judging.judge import Judge
from pipelines.likelihood.scorer import Scorable
from pipelines.rows import user_message

#: Even odds that the line is good rather than spoilt.
THRESHOLD = 0.5


def as_test_case(product: str, values: list[str], line: str) -> LLMTestCase:
    """deepeval's test case: input is the user's message, actual output the line, metadata holds product and values."""
    return LLMTestCase(
        input=user_message(product, values)["content"],
        actual_output=line,
        metadata={"product": product, "values": values},
    )


class UnjudgedError(Exception):
    """The judge gives no score for a line, for instance because its provider filters the content."""


class _Judged(BaseMetric):  # type: ignore[misc]
    """A metric that reads its score from a judge: a look-up for rows that `judge.verdicts` has seen.

    Attributes:
        judge: a calibrated judge.
        threshold: least score that succeeds, 0..1.
        score: 0..1.
        reason: one Korean sentence: the judge's own, or what the score says, with how far to trust the judge.
    """

    metric = ""
    low = middle = high = ""  # what a score says, in Korean
    _required_params = [SingleTurnParams.INPUT, SingleTurnParams.ACTUAL_OUTPUT, SingleTurnParams.METADATA]  # noqa: RUF012

    def __init__(self, judge: Judge, threshold: float = THRESHOLD) -> None:
        self.judge = judge
        self.threshold = threshold
        self.evaluation_model = judge.facts.name
        self.evaluation_cost = 0.0

    def measure(self, test_case: LLMTestCase, *args: Any, **kwargs: Any) -> float:
        """Score one test case made by `as_test_case`.

        Raises:
            ValueError: the metadata lacks product or values.
            UnjudgedError: the judge gives no score. deepeval's runners stop there, or note it with `ignore_errors`.
        """
        row = row_of(test_case)
        verdict = self.judge.verdicts([row])[0]
        if verdict is None:
            raise UnjudgedError(f"{self.judge.facts.name} gives no score for {row['ad_copy']!r} ({row['product']})")
        self.score = verdict.scores[self.metric]
        self.reason = verdict.reasons.get(self.metric) or self._reason(self.score)
        self.success = self.is_successful()
        return self.score

    async def a_measure(self, test_case: LLMTestCase, *args: Any, **kwargs: Any) -> float:
        return self.measure(test_case, *args, **kwargs)

    def _reason(self, score: float) -> str:
        said = self.low if score < 1 / 3 else self.middle if score < 2 / 3 else self.high
        found = self.judge.facts.calibration[self.metric]
        trust = f"채점 모델의 AUC {found.auc.value:.2f}" + ("" if found.reliable else ", 신뢰도 낮음")
        return f"{said} ({trust})"

    @property
    def __name__(self) -> str:
        return METRICS[self.metric][1]


class PV(_Judged):
    """Are the product and the values reflected in the line?"""

    metric = "pv"
    low = "다른 상품에 붙여도 될 만큼 상품과 가치가 드러나지 않습니다."
    middle = "상품과 가치가 일부만 드러납니다."
    high = "이 상품과 가치를 알고 쓴 줄로 읽힙니다."


class Naturalness(_Judged):
    """Is the line natural, in grammar and in meaning?"""

    metric = "naturalness"
    low = "어순이나 낱말의 이음새가 어색합니다."
    middle = "뜻은 통하지만 매끄럽지 않은 데가 있습니다."
    high = "문장이 자연스럽게 읽힙니다."


class Creativity(_Judged):
    """Is the line something else than product and value in a sentence, or a phrase that everyone uses?"""

    metric = "creativity"
    low = "상품과 가치를 그대로 옮겼거나 흔한 상투어에 가깝습니다."
    middle = "새로운 데가 있지만 익숙한 표현에 기댑니다."
    high = "상투적인 문장과 뚜렷이 다릅니다."


def row_of(test_case: LLMTestCase) -> Scorable:
    """The row that a test case of `as_test_case` stands for.

    Raises:
        ValueError: the metadata lacks product or values.
    """
    facts = test_case.metadata or {}
    if "product" not in facts or "values" not in facts:
        raise ValueError(
            f"The test case has no product and values in its metadata (input: {test_case.input!r}): "
            "make it with model_card.judging.deepeval_metrics.as_test_case"
        )
    return {"product": facts["product"], "values": list(facts["values"]), "ad_copy": test_case.actual_output or ""}
