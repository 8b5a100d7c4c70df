"""The metrics as deepeval has them: `deepeval.evaluate([as_test_case(...)], [PV(judge), Sense(judge), ...])`.

These read calibrated scores from a `Judge`; `geval_metrics` has the same as G-Eval metrics, uncalibrated.
deepeval reads its telemetry opt-outs at import: set them before this module is imported (`scripts.core.env.opt_out`).
"""

from __future__ import annotations

from typing import Any

from model_card.judging.deepeval_api import BaseMetric, LLMTestCase, SingleTurnParams
from model_card.judging.judge import Judge
from pipelines.metrics import METRICS, Metric
from pipelines.rows import Scorable, user_message

#: Even odds that the line is good rather than bad.
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


class JudgedMetric(BaseMetric):  # type: ignore[misc]
    """A metric that reads its score from a judge: a look-up for rows that `judge.verdicts` has seen.

    Attributes:
        metric: what is scored; each of `METRICS` has a subclass in `JUDGED_METRICS`.
        judge: a calibrated judge that scores it.
        threshold: least score that succeeds, 0..1.
        score: 0..1.
        reason: one Korean sentence: the judge's own, or what the score says, with how far to trust the judge.
    """

    metric: Metric
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
        self.score = verdict.scores[self.metric.key]
        self.reason = verdict.reasons.get(self.metric.key) or self._reason(self.score)
        self.success = self.is_successful()
        return self.score

    async def a_measure(self, test_case: LLMTestCase, *args: Any, **kwargs: Any) -> float:
        return self.measure(test_case, *args, **kwargs)

    def _reason(self, score: float) -> str:
        meaning = self.metric.low if score < 1 / 3 else self.metric.middle if score < 2 / 3 else self.metric.high
        calibration = self.judge.facts.calibration[self.metric.key]
        trust = f"채점 모델의 AUC {calibration.auc.value:.2f}" + ("" if calibration.reliable else ", 신뢰도 낮음")
        return f"{meaning} ({trust})"

    @property
    def __name__(self) -> str:
        return self.metric.name


def _class_of(metric: Metric) -> type[JudgedMetric]:
    content = {"metric": metric, "__doc__": metric.question, "__module__": __name__}
    return type(metric.name, (JudgedMetric,), content)


#: The deepeval class of each metric, by its key.
JUDGED_METRICS: dict[str, type[JudgedMetric]] = {key: _class_of(metric) for key, metric in METRICS.items()}
PV = JUDGED_METRICS["pv"]
Naturalness = JUDGED_METRICS["naturalness"]
Creativity = JUDGED_METRICS["creativity"]
Sense = JUDGED_METRICS["sense"]


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
