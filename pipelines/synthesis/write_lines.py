"""Has a teacher write lines for product–values pairs, as a distilabel pipeline."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself, not by its text.
import gc
import json
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.steps import StepInput
from distilabel.steps.tasks import GeneratorTask
from distilabel.typing import GeneratorStepOutput, StepColumns, StepOutput

from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.json_answers import is_refusal, lines_form
from pipelines.endpoint.streaming import Request, in_batches, stream_answers
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.execution.orphans import end_with_parent
from pipelines.execution.ray_actors import pin_to_driver
from pipelines.execution.running import pipeline_of
from pipelines.filters import first_rule
from pipelines.filters.limits import Limits
from pipelines.filters.steps import CheckRules
from pipelines.rows import Row, make_row, row_id
from pipelines.synthesis.prompts import Brief

#: Pairs that leave the writing step together.
BATCH = 200
#: By how much the rules give way to the client, which has an endpoint waiting.
NICENESS = 10


def build_copies_pipeline(
    pairs: Sequence[Mapping[str, Any]],
    llm: Teacher,
    brief: Brief,
    *,
    teacher: str,
    candidates: int,
    limits: Limits,
    cache_dir: Path,
    engine: str = "local",
) -> Pipeline:
    """A pipeline that asks the teacher for `candidates` lines a pair and checks each by the rules as it comes.

    Run it with `pipelines.execution.running.run`; the leaf has one row a pair, read by `read_leaf`.

    Args:
        pairs: rows of config `pairs`.
        brief: makes the prompt of a pair.
        teacher: what stands in the column `teacher`: a pinned URI or the name of the model.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
        engine: `local` (processes on this machine) or `ray`.

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("there are no pairs to write for; plan some with `hanjul pairs`")
    with pipeline_of("hanjul-copies", cache_dir, engine) as pipeline:
        write = WriteCopies(
            name="write",
            llm=llm,
            work=_put(pairs, brief, cache_dir),
            teacher=teacher,
            num_generations=candidates,
            batch_size=BATCH,
            resources=pin_to_driver(),
        )
        write >> CheckWritten(name="check_rules", limits=limits, input_batch_size=BATCH)
    return pipeline


class WriteCopies(GeneratorTask):  # type: ignore[misc]
    """Has the teacher write for pairs, all at once: the client decides how many are in flight.

    A generator and not a step with inputs: a step waits for the slowest answer of each batch. Here pairs leave as soon
    as they are written, and prompts are made when their turn comes, so memory does not grow with the number of pairs.

    Attributes:
        work: file of this machine with the pairs (rows of config `pairs`) and the brief. Not attributes themselves: a
            large step that holds a key would be spilled to disk by Ray, key and all.
        teacher: what stands in the column `teacher`.
        num_generations: lines wanted a pair.

    Output columns:
        - about (`str`): JSON of the pair, with `example_ids` and `teacher` and its place in the plan, `turn`.
        - written (`str`): JSON of `pipelines.endpoint.teacher_llm.Completion`.

    Categories:
        - text-generation
    """

    work: Path
    teacher: str

    def load(self) -> None:
        """Open the client, in a process that must not outlive the run."""
        super().load()
        end_with_parent()
        gc.freeze()  # what was there before the fork is here to stay: walking through it takes half a second each time

    @property
    def outputs(self) -> StepColumns:
        return ["about", "written"]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"written": output}

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Batches of pairs in the order in which they are finished, and whether a batch is the last."""
        pairs, brief = _take(self.work)
        form = lines_form(brief.lines, self.llm.generation_kwargs["max_new_tokens"]) if brief.lines else None
        answers = stream_answers(self.llm, self._asked(pairs, brief), len(pairs), self.num_generations, form)
        yield from in_batches(answers, len(pairs), self.batch_size)

    def _asked(self, pairs: Sequence[dict[str, Any]], brief: Brief) -> Iterator[Request]:
        for turn, pair in enumerate(pairs):
            messages, shown = brief.prompt(pair)
            about = {**pair, "turn": turn, "teacher": self.teacher, "example_ids": shown}
            yield Request(messages, pair.get("attempt", 0), about)


class CheckWritten(CheckRules):
    """Makes one row of config `raw` of each line and looks for the first rule that it breaks.

    Input columns:
        - about (`str`), written (`str`): see `WriteCopies`.

    Output columns:
        - pair (`str`): JSON: `turn` and `id` of the pair, `failure`, `input_tokens`, `output_tokens`.
        - rows (`str`): JSON list of raw rows, each with `reason` and `evidence`, empty where no rule is broken.

    Categories:
        - filtering
    """

    def load(self) -> None:
        """Give way to the client that gets the answers."""
        super().load()
        if hasattr(os, "nice"):
            os.nice(NICENESS)

    @property
    def inputs(self) -> StepColumns:
        return ["about", "written"]

    @property
    def outputs(self) -> StepColumns:
        return ["pair", "rows"]

    def process(self, inputs: StepInput) -> StepOutput:
        """One row a pair, in order."""
        yield [self._checked(json.loads(row["about"]), json.loads(row["written"])) for row in inputs]

    def _checked(self, pair: dict[str, Any], written: dict[str, Any]) -> dict[str, str]:
        rows = []
        for row in raw_rows(pair, written):
            reason, evidence = first_rule(row, self.limits)
            rows.append({**row, "reason": reason, "evidence": evidence})
        about = {name: pair[name] for name in ("turn", "id")}
        about |= {name: written[name] for name in ("failure", "input_tokens", "output_tokens")}
        return {"pair": _dump(about), "rows": _dump(rows)}


def raw_rows(pair: Mapping[str, Any], written: Mapping[str, Any]) -> list[Row]:
    """Rows of config `raw` from what a teacher wrote for a pair; its refusal is a line too, which a rule rejects."""
    texts = [text.strip() for text in written["texts"]]
    failure = Failure.from_json(written["failure"])
    if not texts and failure and failure.kind is FailureKind.REFUSED:
        # What the rule does not know as a refusal might pass as a line.
        texts = [failure.message if is_refusal(failure.message) else ""]
    columns = {name: pair[name] for name in ("category", "device", "tone", "teacher", "example_ids")}
    rows: list[Row] = []
    for text in texts:
        row = make_row(pair["product"], pair["values"], text, source="synthesised", **columns)
        # `make_row` joins lines; here they stay apart for the `format` filter, and the id is of what was written.
        rows.append({**row, "ad_copy": text, "id": row_id(row["product"], row["values"], text)})
    return rows


@dataclass(frozen=True)
class PairResult:
    """What came of one pair.

    Attributes:
        turn: place of the pair among those that were given to the pipeline.
        id: of the pair.
        rows: raw rows with `reason` and `evidence`.
        failure: why lines are missing; None where they are not.
    """

    turn: int
    id: str
    rows: list[dict[str, Any]]
    failure: Failure | None
    input_tokens: int
    output_tokens: int


def read_leaf(leaf: Sequence[Mapping[str, str]]) -> list[PairResult]:
    """The rows of the leaf, in the order of the pairs."""
    pairs = ((json.loads(row["pair"]), json.loads(row["rows"])) for row in leaf)
    results = [
        PairResult(**{**pair, "rows": rows, "failure": Failure.from_json(pair["failure"])}) for pair, rows in pairs
    ]
    return sorted(results, key=lambda result: result.turn)


def _put(pairs: Sequence[Mapping[str, Any]], brief: Brief, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "work.pickle"
    path.write_bytes(pickle.dumps((list(pairs), brief)))
    return path


def _take(path: Path) -> tuple[list[dict[str, Any]], Brief]:
    pairs, brief = pickle.loads(path.read_bytes())  # noqa: S301 - our own file, of this run
    return pairs, brief


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
