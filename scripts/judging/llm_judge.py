"""Opens the LLM judge that a recipe names: within limits, every answer paid once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from model_card.judging.facts import Scoring
from model_card.judging.geval_answers import NoScoreError
from model_card.judging.geval_judge import prefer, score_rows
from model_card.judging.geval_model import EndpointModel
from model_card.judging.judge import LinePair, Raw
from pipelines.endpoint.failures import BudgetSpentError, EndpointGoneError
from pipelines.endpoint.next_steps import AGAIN
from pipelines.endpoint.origin import is_loopback
from pipelines.endpoint.session import Session
from pipelines.endpoint.spending.answer_store import key_of
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from pipelines.progress import Progress
from pipelines.rows import Scorable
from pipelines.text.counted import counted
from scripts.core import endpoints, log
from scripts.core.settings import JudgeSettings
from scripts.hub.hub import Hub
from scripts.teaching import limits

#: Where a recipe names the judge.
PLACE = "evaluate.judge"

Result = TypeVar("Result")


@dataclass(frozen=True)
class EndpointJudge:
    """A judge that can be asked now; not calibrated.

    Attributes:
        name: what tables call it, e.g. `gpt-4o at api.openai.com`.
        scoring: `probabilities` of score tokens, or `samples`.
        samples: answers behind one score; 1 with probabilities.
        settings, run_id: of the recipe; whose limits they are.
        model: what deepeval's metrics may use, too: `GEvalPV(judge.model)`.
    """

    name: str
    scoring: Scoring
    samples: int
    settings: JudgeSettings
    run_id: str
    model: EndpointModel

    def raw(self, rows: Sequence[Scorable], /) -> list[Raw | None]:
        """Scores and reasons of rows: a `model_card.judging.judge.RawJudge`.

        Raises:
            HanjulError: the endpoint or the budget is at its end, or no answer holds a score.
        """

        ask: Callable[..., list[Raw | None]] = score_rows
        return self._ask_all(ask, rows, f"judge: {counted(len(rows), 'line')}", len(rows) * len(METRICS))

    def prefers(self, pairs: Sequence[LinePair], /) -> list[float | None]:
        """Which of two lines is better, in the order shown: a `model_card.judging.judge.Prefers`.

        Raises:
            HanjulError: see `raw`.
        """

        return self._ask_all(prefer, pairs, f"judge: {counted(len(pairs), 'pair')}", len(pairs))

    def usage(self) -> dict[str, Any]:
        """For the manifest: see `endpoints.usage_of`."""
        return endpoints.usage_of(self.settings, self.run_id, self.model.input_tokens, self.model.output_tokens)

    def _ask_all(
        self, ask: Callable[[Any, Any, Any], list[Result | None]], items: Sequence[Any], title: str, total: int
    ) -> list[Result | None]:
        before, foreign = Counter(self.model.failures), self.model.foreign
        progress = Progress(title, total, unit="answers", state=self._spent)
        with _endpoint_errors(self.settings, self.run_id, self.model, title), progress:
            results = ask(self.model, items, progress.advance)
        missing = results.count(None)
        if missing:
            labels = Counter(failure.label for failure in (self.model.failures - before).elements())
            reasons = ", ".join(f"{label} ({count})" for label, count in labels.most_common(3))
            log.log(f"{title}, {missing} without an answer: {reasons}")
        if foreign := self.model.foreign - foreign:
            log.log(f"{title}, {foreign} reasons not in Korean, though they were asked for again; they are marked")
        return results

    def _spent(self) -> str:
        usd = self.model.session.client.budget.spent.usd
        return f"{usd:.2f} USD" if usd else ""


@contextmanager
def open_judge(
    hub: Hub, settings: JudgeSettings, run: Mapping[str, Any], *, teacher: str | None = None
) -> Iterator[EndpointJudge]:
    """Open the judge of a recipe while the block runs. A small first request shows how it comes to its scores.

    Args:
        run: what the limits of `settings.budget` are for, e.g. dataset, version and seed of the recipe: all processes
            that give the same share them.
        teacher: the model that wrote, if it was one; a judge of the same family is said to be one on stderr.

    Raises:
        HanjulError: a key that is missing; no price, and a limit in USD; an endpoint that is not there, or whose
            answers hold no score.

    Example:
        >>> run = recipe.model_dump(include={"dataset", "version", "seed"})
        >>> with open_judge(hub, recipe.evaluate.judge, run) as judge:
        ...     facts = JudgeFacts(judge.name, "geval", judge.scoring, judge.samples, calibration)
        ...     verdicts = Judge(facts, judge.raw, judge.prefers).verdicts(rows)
        ...     usage = judge.usage()
    """

    identity = endpoints.identity_of(settings)
    run_id = key_of(identity, {"judge": dict(run)})
    name = f"{settings.model} at {_host(settings.base_url)}"
    if teacher and (shared := _families(settings.model) & _families(teacher)):
        log.log(f"judge: {settings.model} is of the teacher's family ({min(shared)}), and may prefer its own lines")
    options = endpoints.options_of(
        settings, PLACE, base_url=settings.base_url, model=settings.model, identity=identity, run_id=run_id
    )
    with Session(options, endpoints.key_for(settings, PLACE, local_hub=hub.is_local)) as session:
        model = EndpointModel(
            session,
            samples=settings.samples,
            temperature=settings.temperature,
            max_new_tokens=settings.max_new_tokens,
        )
        with _endpoint_errors(settings, run_id, model, "judge: the first request"):
            scoring, why = model.scoring()
        samples = 1 if scoring == "probabilities" else settings.samples
        how = "token probabilities" if samples == 1 else f"{samples} answers each, no token probabilities ({why})"
        log.log(f"judge: {name}, scores from {how}")
        yield EndpointJudge(name, scoring, samples, settings, run_id, model)


@contextmanager
def _endpoint_errors(settings: JudgeSettings, run_id: str, model: EndpointModel, title: str) -> Iterator[None]:
    """Add to errors of the endpoint what the reader of a recipe can do about them.

    Args:
        run_id: whose limits they are.
        title: what the model is asked meanwhile.
    """
    try:
        yield
    except BudgetSpentError as error:
        usage = endpoints.usage_of(settings, run_id, model.input_tokens, model.output_tokens)
        raise limits.reached(str(error), PLACE, f"{title}, not all is answered", usage) from error
    except EndpointGoneError as error:
        raise HanjulError(f"The judge cannot be asked: {error}", settings.base_url, error.next_step or AGAIN) from error
    except NoScoreError as error:
        failure = error.failure
        step = f"see what {settings.model} answers, raise `{PLACE}.max_new_tokens`, or name another model"
        said = f"The judge gives no score: {failure.message}"
        raise HanjulError(said, settings.base_url, failure.next_step or step) from error


def _host(base_url: str) -> str:
    return "localhost" if is_loopback(base_url) else urlsplit(base_url).hostname or base_url


def _families(model: str) -> set[str]:
    """Words that tell of whose making a model is: its owner, and the first word of its name."""
    owner, _, name = model.lower().rpartition("/")
    return {word for word in (owner, *re.findall(r"^[a-z]+", name)) if word}
