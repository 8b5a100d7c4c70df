"""An LLM judge over many rows: asks every metric's rubric of each, compares two lines, many questions at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from model_card.judging.facts import preference
from model_card.judging.geval import GEVAL_METRICS
from model_card.judging.geval_answers import BETTER, SCORE, NoAnswerError, NoScoreError, Question, Weighed
from model_card.judging.geval_model import EndpointModel
from model_card.judging.judge import LinePair, Raw
from model_card.judging.rubrics import SCALE, comparison
from pipelines.endpoint.concurrency import map_concurrently
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.metrics import METRICS
from pipelines.rows import Scorable

#: Chances of two lines to be the better one that are nearer than this are a tie.
LEAD = 0.1


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
    metrics = [metric_class(model) for metric_class in GEVAL_METRICS.values()]
    answers = _weigh_all(model, (metric.prompt(row) for row in rows for metric in metrics), SCORE, each)
    count = len(metrics)
    return [_raw(answers[place : place + count]) for place in range(0, len(answers), count)]


def prefer(
    model: EndpointModel, pairs: Sequence[LinePair], each: Callable[[], object] = _nothing
) -> list[float | None]:
    """`Prefers`, given its model: 1 for the first line, 0 for the second, 0.5 for a tie; None where it will not say.

    Asks once for each pair, in the order given. A tie is what the model calls one, or a lead of less than `LEAD`.

    Args:
        each: called after each pair, in another thread.

    Raises:
        See `score_rows`.
    """
    prompts = (comparison(first, second) for first, second in pairs)
    return [_preference(answer) if answer else None for answer in _weigh_all(model, prompts, BETTER, each)]


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

    answers = model.session.run(map_concurrently(weigh, prompts, model.session.client.options.concurrency))
    others = [failure for failure, _ in failures.most_common() if failure.kind is not FailureKind.REFUSED]
    model.scored |= any(answers)
    if others and not model.scored:
        raise NoAnswerError(others[0])
    model.failures.update(failures)
    return answers


def _raw(answers: Sequence[Weighed | None]) -> Raw | None:
    """The answers about one row, one for each metric."""
    by_metric = {metric: answer for metric, answer in zip(METRICS, answers, strict=True) if answer}
    if len(by_metric) < len(METRICS):
        return None
    return Raw(
        {metric: answer.mean / SCALE[-1] for metric, answer in by_metric.items()},
        {metric: answer.reason for metric, answer in by_metric.items()},
    )


def _preference(answer: Weighed) -> float:
    neither, first, second = (answer.weights[digit] for digit in BETTER.digits)
    return 0.5 if neither > max(first, second) else preference(first - second, LEAD)
