"""PV, Naturalness and Creativity by G-Eval (Liu et al. 2023, https://arxiv.org/abs/2303.16634): an LLM and a rubric.

As deepeval metrics, with any model that gives token probabilities:

    deepeval.evaluate([as_test_case("우산", ["든든한"], "비보다 먼저 펴지는 마음")], [GEvalPV(model)])

and as what a judge is made from: `score_rows` and `prefer` ask many questions at a time, the very same ones. Scores are
0..1 and not calibrated. deepeval reads its telemetry opt-outs at import: set them before (`scripts.core.env.opt_out`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deepeval.metrics import GEval
from deepeval.metrics.g_eval import Rubric
from deepeval.test_case import LLMTestCase, SingleTurnParams

from model_card.comparison.report import METRICS
from model_card.judging.deepeval_metrics import THRESHOLD, as_test_case
from model_card.judging.geval_answers import (
    BETTER,
    SCORE,
    NoProbabilitiesError,
    NoScoreError,
    Question,
    Weighed,
    of_completion,
)
from model_card.judging.geval_model import ALTERNATIVES, EndpointModel
from model_card.judging.judge import Raw
from model_card.judging.rubrics import SCALE, comparison, rubrics
from pipelines.endpoint.concurrency import map_concurrently
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.likelihood.scorer import Scorable

#: Chances of two lines to be the better one that are nearer than this are a tie.
LEAD = 0.1


class _Rubric(GEval):  # type: ignore[misc]
    """G-Eval with a rubric of ours, and a score that is the mean of a distribution or an error, never a whole number.

    Attributes:
        model: an `EndpointModel`, or any model of deepeval with `generate_raw_response`.
        threshold: least score that succeeds, 0..1.
        score: 0..1, the mean score over the rubric's highest.
        reason: one Korean sentence, the model's.
    """

    metric = ""

    def __init__(self, model: Any, threshold: float = THRESHOLD, **options: Any) -> None:
        """A metric that asks a model; `options` are those of `GEval`.

        deepeval makes each metric anew from its attributes before it runs: what stands here may come as an option.

        Raises:
            NoProbabilitiesError: a class of models that never has any, and that GEval would take whole scores from.
            ValueError: `strict_mode`, which knows 0 and 1 only.
        """
        if options.get("strict_mode"):
            raise ValueError("strict_mode has no scale: set a threshold instead")
        rubric = rubrics()[self.metric]
        super().__init__(
            model=model,
            threshold=threshold,
            **{
                "name": METRICS[self.metric][1],
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
            return _said(await self.model.session.arun(self.model.weigh(prompt)))
        response, cost = await self.model.a_generate_raw_response(prompt, top_logprobs=self.top_logprobs)
        return self._read(response, cost)

    def _evaluate(
        self, test_case: LLMTestCase, multimodal: bool, _additional_context: str | None = None
    ) -> tuple[float, str]:
        prompt = self._results_prompt(test_case, multimodal, _additional_context)
        if isinstance(self.model, EndpointModel):
            return _said(self.model.session.run(self.model.weigh(prompt)))
        response, cost = self.model.generate_raw_response(prompt, top_logprobs=self.top_logprobs)
        return self._read(response, cost)

    def _read(self, response: Any, cost: float | None) -> tuple[float, str]:
        self._accrue_cost(cost)
        return _said(of_completion(response, SCORE))


class GEvalPV(_Rubric):
    """Are the product and the values reflected in the line?"""

    metric = "pv"


class GEvalNaturalness(_Rubric):
    """Is the line natural, in grammar and in meaning?"""

    metric = "naturalness"


class GEvalCreativity(_Rubric):
    """Is the line something else than product and value in a sentence, or a phrase that everyone uses?"""

    metric = "creativity"


def _nothing() -> None:
    pass


def score_rows(
    model: EndpointModel, rows: Sequence[Scorable], each: Callable[[], object] = _nothing
) -> list[Raw | None]:
    """A `RawJudge`, given its model: scores 0..1 and Korean reasons of rows, in order; None where the model will not.

    Args:
        each: called after each of `len(rows) * len(METRICS)` scores, in another thread.

    Raises:
        NoScoreError: the endpoint has not given one score yet, and not because of its content filter.
        EndpointGoneError, BudgetSpentError: the endpoint or the budget is at its end; what was answered is kept.
    """
    metrics = [kind(model) for kind in (GEvalPV, GEvalNaturalness, GEvalCreativity)]
    found = _weigh_all(model, (metric.prompt(row) for row in rows for metric in metrics), SCORE, each)
    count = len(metrics)
    return [_raw(metrics, found[place : place + count]) for place in range(0, len(found), count)]


def prefer(
    model: EndpointModel, couples: Sequence[tuple[Scorable, Scorable]], each: Callable[[], object] = _nothing
) -> list[float | None]:
    """`Prefers`, given its model: 1 for the first line, 0 for the second, 0.5 for a tie; None where it will not say.

    Asks once for each couple, in the order given. A tie is what the model calls one, or a lead of less than `LEAD`.

    Args:
        each: called after each couple, in another thread.

    Raises:
        See `score_rows`.
    """
    prompts = (comparison(first, second) for first, second in couples)
    return [_preference(found) if found else None for found in _weigh_all(model, prompts, BETTER, each)]


def _weigh_all(
    model: EndpointModel, prompts: Iterator[str], question: Question, each: Callable[[], object]
) -> list[Weighed | None]:
    failures: Counter[Failure] = Counter()

    async def weigh(prompt: str) -> Weighed | None:
        try:
            return await model.weigh(prompt, question)
        except NoScoreError as error:
            failures[error.failure] += 1
            return None
        finally:
            each()

    found = model.session.run(map_concurrently(weigh, prompts, model.session.client.options.concurrency))
    others = [failure for failure, _ in failures.most_common() if failure.kind is not FailureKind.REFUSED]
    model.scored |= any(found)
    if others and not model.scored:
        raise NoScoreError(others[0].message)
    model.failures.update(failures)
    return found


def _raw(metrics: Sequence[_Rubric], found: Sequence[Weighed | None]) -> Raw | None:
    by_metric = {metric.metric: weighed for metric, weighed in zip(metrics, found, strict=True) if weighed}
    if len(by_metric) < len(metrics):
        return None
    return Raw(
        {metric: weighed.mean / SCALE[-1] for metric, weighed in by_metric.items()},
        {metric: weighed.reason for metric, weighed in by_metric.items()},
    )


def _preference(found: Weighed) -> float:
    neither, first, second = (found.weights[digit] for digit in BETTER.digits)
    if neither > max(first, second) or abs(first - second) < LEAD:
        return 0.5
    return float(first > second)


def _said(found: Weighed) -> tuple[float, str]:
    """As GEval takes it: a score on the rubric's scale, which it divides by its highest."""
    return found.mean, found.reason
