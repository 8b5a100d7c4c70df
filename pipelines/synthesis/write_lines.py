"""Has a teacher write lines for product–values pairs, as a distilabel pipeline."""

from __future__ import annotations

import gc
import json
import pickle
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.steps.tasks import GeneratorTask
from distilabel.typing import GeneratorStepOutput, StepColumns

from pipelines.drought import Drought
from pipelines.endpoint.answers.json_answers import lines_form
from pipelines.endpoint.failures import Failure
from pipelines.endpoint.streaming import Request, in_batches, stream_answers
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.errors import HanjulError
from pipelines.execution.orphans import end_with_parent
from pipelines.execution.ray_actors import pin_to_driver
from pipelines.execution.running import pipeline_of
from pipelines.filters.limits import Limits
from pipelines.filters.rules import template
from pipelines.synthesis.asking import Asking, accepted, passed, served
from pipelines.synthesis.checking import Check, PairResult, check_answers, in_own_process
from pipelines.synthesis.prompts import PromptBuilder
from pipelines.synthesis.rounds import Rounds

#: Pairs that leave the writing step together.
BATCH = 200
#: Columns by which the selection decides where there are no scores.
SELECTED_BY = ("id", "product", "values", "ad_copy", "source")


@dataclass(frozen=True)
class Writing:
    """What a teacher is to write, and what decides whether a pair is asked again.

    Attributes:
        pairs: rows of config `pairs`, the plan.
        prompts: makes the prompt of a pair.
        teacher: what stands in the column `teacher`: a pinned URI or the name of the model.
        asked: the model's name at the endpoint; where another answers, that one stands in the column. Empty where the
            endpoint is ours.
        candidates: lines wanted a pair.
        limits: of the rules.
        rounds: says which pairs are asked again while lines still come in; None asks every pair once.
        people: tidied rows that people wrote, beside which lines are accepted.
    """

    pairs: Sequence[Mapping[str, Any]]
    prompts: PromptBuilder
    teacher: str
    candidates: int
    limits: Limits
    rounds: Rounds | None = None
    people: Sequence[dict[str, Any]] = ()
    asked: str = ""

    def asking(self) -> Asking[PairResult]:
        """The turns of this writing, from the first on."""
        if self.rounds is None:
            return Asking(self.pairs)
        return Asking(self.rounds.next((), 0, ()), self._asked_again)

    def _asked_again(
        self, asked: Sequence[Mapping[str, Any]], lines: Sequence[dict[str, Any]], pending: Collection[str]
    ) -> list[dict[str, Any]]:
        assert self.rounds
        if self.asked and not lines:  # a round without one usable line is the last; before it nothing is asked ahead
            return []
        # A judge asks for scores that are not there yet: until they are, rules and selection decide. While answers are
        # pending, a phrase may stand in as many lines as it may when all are there.
        most = template.most(len(self.people) + self.rounds.wanted, self.limits)
        kept = accepted(self.people, lines, self.limits.model_copy(update={"gated": False, "max_phrase_count": most}))
        keep = self.rounds.keep_per_pair
        ids = (pair["id"] for pair in asked)
        return self.rounds.next(ids, len(kept) + len(pending) * keep, served(kept, keep), pending)


def write_lines(llm: Teacher, writing: Writing, check: Check | None = None) -> Generator[PairResult, None, None]:
    """The result of each turn, once it is known that it is one, each line checked by the rules.

    Where nothing usable comes of another's endpoint for long, no more is asked; where something had come before, that
    is a limit. Where a rule fails, or the generator is closed, nothing more is asked and the client is closed.

    Args:
        llm: loaded.
        check: the rules; None checks in this process.
    """
    check = check or partial(check_answers, writing.limits)
    asking = writing.asking()
    form = lines_form(writing.prompts.lines, llm.generation_kwargs["max_new_tokens"]) if writing.prompts.lines else None
    questions = _questions(asking, writing)
    answers = stream_answers(llm, questions, lambda: len(asking.asked), writing.candidates, form)
    drought = Drought()
    with closing(answers):
        for responses in answers:
            for response, result in zip(responses, check(responses), strict=True):
                ended = result.failure is not None and result.failure.ends_all
                if writing.asked and drought.add(result.failure, usable=result.is_usable):
                    last = replace(result, failure=drought.end(result.failure))
                    for turn, settled in asking.add(response.about, last, [], last=True):
                        yield replace(settled, turn=turn)
                    return
                # Tidied here once, and not again at each look at what is accepted; of all lines so far, so no more
                # columns than the selection needs.
                rows = passed(result.rows) if writing.rounds else []
                lines = [{name: row[name] for name in SELECTED_BY} for row in rows]
                for turn, settled in asking.add(response.about, result, lines, last=ended):
                    yield replace(settled, turn=turn)
            asking.look_ahead()


def _questions(asking: Asking[PairResult], writing: Writing) -> Iterator[Request | None]:
    """The prompts, made when their turn comes, so that memory does not grow with the number of pairs."""
    for pair in asking:
        if pair is None:
            yield None
            continue
        messages, shown = writing.prompts.prompt(pair)
        about = {**pair, "teacher": writing.teacher, "asked": writing.asked, "example_ids": shown}
        yield Request(messages, pair.get("attempt", 0), about)


def build_writing_pipeline(writing: Writing, llm: Teacher, *, cache_dir: Path, engine: str = "local") -> Pipeline:
    """A pipeline that asks the teacher and checks each line by the rules as it comes.

    Run it with `pipelines.execution.running.run`; the leaf has one row a turn, read by `read_leaf`.

    Args:
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
        engine: `local` (processes on this machine) or `ray`.

    Raises:
        HanjulError: no pairs.
    """
    if not writing.pairs:
        raise HanjulError("There are no pairs to write for", next_step="plan some with `hanjul pairs`")
    with pipeline_of("hanjul-lines", cache_dir, engine) as pipeline:
        WriteLines(
            name="write",
            llm=llm,
            work=_put(writing, cache_dir),
            num_generations=writing.candidates,
            batch_size=BATCH,
            resources=pin_to_driver(),
            forks=engine == "local",
        )
    return pipeline


class WriteLines(GeneratorTask):  # type: ignore[misc]
    """Has the teacher write for pairs, all at once, and checks lines by the rules: the client decides the pace.

    A generator and not a step with inputs: a step waits for the slowest answer of each batch. Here pairs leave as soon
    as they are written, and those whose lines will not be kept are asked again while others are still in flight.

    Attributes:
        work: file of this machine with the `Writing`. Not an attribute itself: a large step that holds a key would be
            spilled to disk by Ray, key and all.
        num_generations: lines wanted a pair.
        forks: the rules have a process of their own. An actor of Ray has threads that a fork would break.

    Output columns:
        - pair (`str`): JSON: `turn` and `id` of the pair, `failure`, `input_tokens`, `output_tokens`.
        - rows (`str`): JSON list of raw rows, each with `reason` and `evidence`, empty where no rule is broken.

    Categories:
        - text-generation
    """

    work: Path
    forks: bool = False

    def load(self) -> None:
        """Open the client, in a process that must not outlive the run."""
        super().load()
        end_with_parent()
        gc.freeze()  # what was there before the fork is here to stay: walking through it takes half a second each time

    @property
    def outputs(self) -> StepColumns:
        return ["pair", "rows"]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"rows": output}

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Batches of turns in the order in which they are finished, and whether a batch is the last."""
        writing = _take(self.work)
        with ExitStack() as stack:
            check = stack.enter_context(in_own_process(writing.limits)) if self.forks else None
            results = stack.enter_context(closing(write_lines(self.llm, writing, check)))
            yield from in_batches(map(_to_leaf, results), self.batch_size)


def read_leaf(leaf: Sequence[Mapping[str, str]]) -> list[PairResult]:
    """The rows of the leaf, in the order of the pairs."""
    pairs = ((json.loads(row["pair"]), json.loads(row["rows"])) for row in leaf)
    results = [
        PairResult(**{**pair, "rows": rows, "failure": Failure.from_json(pair["failure"])}) for pair, rows in pairs
    ]
    return sorted(results, key=lambda result: result.turn)


def _to_leaf(result: PairResult) -> dict[str, str]:
    """Text, because distilabel infers the types of each file anew: lists that are empty in one would not fit others."""
    about = {name: getattr(result, name) for name in ("turn", "id", "input_tokens", "output_tokens")}
    about["failure"] = result.failure.to_json() if result.failure else None
    return {"pair": _dump(about), "rows": _dump(result.rows)}


def _put(writing: Writing, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "work.pickle"
    path.write_bytes(pickle.dumps(writing))
    return path


def _take(path: Path) -> Writing:
    writing: Writing = pickle.loads(path.read_bytes())  # noqa: S301 - our own file, of this run
    return writing


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
