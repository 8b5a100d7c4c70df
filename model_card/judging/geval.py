"""The metrics by G-Eval (Liu et al. 2023, https://arxiv.org/abs/2303.16634): an LLM and a rubric.

As deepeval metrics, with any model that gives token probabilities:

    deepeval.evaluate([as_test_case("우산", ["든든한"], "비보다 먼저 펴지는 마음")], [GEvalPV(model)])

Scores are 0..1 and not calibrated. `geval_judge` asks the very same of many rows at a time. deepeval reads its
telemetry opt-outs at import: set them before (`scripts.core.env.opt_out`).
"""

from __future__ import annotations

from typing import Any

from model_card.judging.deepeval_api import GEval, LLMTestCase, Rubric, SingleTurnParams
from model_card.judging.deepeval_metrics import THRESHOLD, as_test_case
from model_card.judging.geval_answers import SCORE, NoProbabilitiesError, Weighed
from model_card.judging.geval_completions import read_completion
from model_card.judging.geval_model import ALTERNATIVES, EndpointModel
from model_card.judging.rubrics import SCALE, rubrics
from pipelines.metrics import METRICS, Metric
from pipelines.rows import Scorable


class GEvalMetric(GEval):  # type: ignore[misc]
    """G-Eval with a rubric of ours, and a score that is the mean of a distribution or an error, never a whole number.

    Attributes:
        metric: what is scored; each of `METRICS` has a subclass in `GEVAL_METRICS`.
        model: an `EndpointModel`, or any model of deepeval with `generate_raw_response`.
        threshold: least score that succeeds, 0..1.
        score: 0..1, the mean score over the rubric's highest.
        reason: one Korean sentence, the model's.
    """

    metric: Metric

    def __init__(self, model: Any, threshold: float = THRESHOLD, **options: Any) -> None:
        """A metric that asks a model; `options` are those of `GEval`.

        deepeval makes each metric anew from its attributes before it runs: what stands here may come as an option.

        Raises:
            NoProbabilitiesError: a class of models that never has any, and that GEval would take whole scores from.
            ValueError: `strict_mode`, which knows 0 and 1 only.
        """
        if options.get("strict_mode"):
            raise ValueError("strict_mode has no scale: set a threshold instead")
        rubric = rubrics()[self.metric.key]
        super().__init__(
            model=model,
            threshold=threshold,
            **{
                "name": self.metric.name,
                "evaluation_params": [SingleTurnParams.INPUT, SingleTurnParams.ACTUAL_OUTPUT],
                "criteria": rubric.criteria,
                "evaluation_steps": list(rubric.steps),
                "rubric": [
                    Rubric(score_range=(score, score), expected_outcome=level)
                    for score, level in zip(SCALE, rubric.levels, strict=True)
                ],
                "top_logprobs": ALTERNATIVES,
                **options,
            },
        )
        if not hasattr(self.model, "generate_raw_response"):
            raise NoProbabilitiesError(
                f"{type(self.model).__name__} has no `generate_raw_response`, and so no token probabilities: "
                "use model_card.judging.geval_model.EndpointModel"
            )

    def prompt(self, row: Scorable) -> str:
        """What the model is asked about a row."""
        return str(self._results_prompt(as_test_case(row["product"], row["values"], row["ad_copy"]), False, None))

    async def _a_evaluate(
        self, test_case: LLMTestCase, multimodal: bool, _additional_context: str | None = None
    ) -> tuple[float, str]:
        prompt = self._results_prompt(test_case, multimodal, _additional_context)
        if isinstance(self.model, EndpointModel):
            return _score_and_reason(await self.model.session.arun(self.model.weigh(prompt)))
        response, cost = await self.model.a_generate_raw_response(prompt, top_logprobs=self.top_logprobs)
        return self._read(response, cost)

    def _evaluate(
        self, test_case: LLMTestCase, multimodal: bool, _additional_context: str | None = None
    ) -> tuple[float, str]:
        prompt = self._results_prompt(test_case, multimodal, _additional_context)
        if isinstance(self.model, EndpointModel):
            return _score_and_reason(self.model.session.run(self.model.weigh(prompt)))
        response, cost = self.model.generate_raw_response(prompt, top_logprobs=self.top_logprobs)
        return self._read(response, cost)

    def _read(self, response: Any, cost: float | None) -> tuple[float, str]:
        self._accrue_cost(cost)
        return _score_and_reason(read_completion(response, SCORE))


def _class_of(metric: Metric) -> type[GEvalMetric]:
    content = {"metric": metric, "__doc__": metric.question, "__module__": __name__}
    return type(f"GEval{metric.name}", (GEvalMetric,), content)


#: The G-Eval class of each metric, by its key.
GEVAL_METRICS: dict[str, type[GEvalMetric]] = {key: _class_of(metric) for key, metric in METRICS.items()}
GEvalPV = GEVAL_METRICS["pv"]
GEvalNaturalness = GEVAL_METRICS["naturalness"]
GEvalCreativity = GEVAL_METRICS["creativity"]
GEvalSense = GEVAL_METRICS["sense"]


def _score_and_reason(weighed: Weighed) -> tuple[float, str]:
    """As GEval takes it: a score on the rubric's scale, which it divides by its highest."""
    return weighed.mean, weighed.reason
