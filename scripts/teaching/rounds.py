"""Has a teacher write until there is enough: rounds of a pipeline, and what they brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_card.judging.sense.gate import Gate
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.spending.answer_store import key_of
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.errors import HanjulError
from pipelines.execution.running import run as run_pipeline
from pipelines.filters.apply_rules import apply_rules
from pipelines.filters.gate import is_synthesised
from pipelines.filters.limits import Limits
from pipelines.rows import split_of
from pipelines.synthesis.asking import passed, served
from pipelines.synthesis.checking import PairResult
from pipelines.synthesis.prompts import PromptBuilder
from pipelines.synthesis.rounds import Rounds, cut
from pipelines.synthesis.write_lines import Writing, build_writing_pipeline, read_leaf, write_lines
from pipelines.text.counted import counted
from scripts.core.log import log
from scripts.core.settings import Recipe, SynthesizeSettings
from scripts.filtering.partition import partition_passed, with_sense
from scripts.teaching import complaints, teachers
from scripts.teaching.complaints import Complaint


@dataclass(frozen=True)
class WritingJob:
    """What stays the same over all rounds.

    Attributes:
        limits: without what the gate says.
        gate: the filter's, where accepted rows are counted; None where nobody judges, or nothing is counted.
    """

    recipe: Recipe
    endpoint: teachers.TeacherEndpoint
    prompts: PromptBuilder
    limits: Limits
    folder: Path
    gate: Gate | None = None

    @property
    def settings(self) -> SynthesizeSettings:
        return self.recipe.synthesize or SynthesizeSettings()

    @property
    def run_id(self) -> str:
        """Whose limits these are: of one release, teacher and way of asking. More rows or other filters count on."""

        recipe = self.recipe
        asked = self.settings.model_dump(include={"temperature", "top_p", "max_new_tokens", "candidates", "examples"})
        return key_of(
            self.endpoint.identity, {"asked": asked, **recipe.model_dump(include={"dataset", "version", "seed"})}
        )

    def writing(self, pairs: Sequence[dict[str, Any]], rounds: Rounds | None, people: Sequence[Any] = ()) -> Writing:
        """What the teacher is to write for these pairs."""
        settings = self.settings
        return Writing(
            pairs,
            self.prompts,
            self.endpoint.name,
            settings.candidates,
            self.limits,
            rounds,
            people,
            self.endpoint.asked,
        )

    def teacher(self) -> Teacher:
        """The LLM that writes, not loaded yet."""
        return teachers.llm_of(self.endpoint, self.settings, run_id=self.run_id, seed=self.recipe.seed)

    def run_pipeline(self, writing: Writing) -> list[PairResult]:
        """The teacher's lines, each checked by the rules, by a distilabel pipeline.

        Raises:
            HanjulError: the endpoint is not there (any more). What it answered is kept.
        """
        folder = self.folder / "distilabel"
        pipeline = build_writing_pipeline(writing, self.teacher(), cache_dir=folder, engine=self.settings.engine)
        return self._answered(read_leaf(run_pipeline(pipeline)))

    def write_here(self, writing: Writing) -> list[PairResult]:
        """The same in this process, where the rules are loaded: a pipeline takes seconds to start."""
        llm = self.teacher()
        llm.load()  # as distilabel does before a step
        return self._answered(sorted(write_lines(llm, writing), key=lambda result: result.turn))

    def _answered(self, results: list[PairResult]) -> list[PairResult]:
        teachers.raise_if_gone(self.endpoint, (result.failure for result in results))
        return results


@dataclass
class WritingResult:
    """What the rounds brought.

    Attributes:
        lines: raw rows with `reason` and `evidence`, in the order of the plan.
        accepted: how many of them the filters keep; None where they were not asked.
        limit: which limit ended it before `n` was reached; empty if none.
        complaints: why other lines are not usable, or not there.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    failures: Counter[Failure] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    rounds: list[int] = field(default_factory=list)
    accepted: int | None = None
    limit: str = ""
    complaints: list[Complaint] = field(default_factory=list)

    def is_useless(self, endpoint: teachers.TeacherEndpoint) -> bool:
        """Whether not one line is usable. Of the embedded model, which costs nothing, any line will do."""
        return not self.lines or (bool(endpoint.asked) and all(line["reason"] for line in self.lines))

    def answered_by(self, name: str) -> dict[str, int]:
        """Models that wrote lines and are not the one of this name, with the number of their lines."""
        return dict(Counter(line["teacher"] for line in self.lines if line["teacher"] != name))

    def add(self, results: Sequence[PairResult]) -> None:
        """The results of a round."""

        self.rounds.append(len(results))
        self.complaints += complaints.of_lines(results)
        for result in results:
            self.lines += result.rows
            self.input_tokens += result.input_tokens
            self.output_tokens += result.output_tokens
            if result.failure and result.failure.kind is FailureKind.LIMIT:
                self.limit = result.failure.message
            elif result.failure:
                self.failures[result.failure] += 1


def write_all(job: WritingJob, pairs: list[dict[str, Any]], people: list[dict[str, Any]]) -> WritingResult:
    """All pairs once, or as many rounds as `n` accepted rows take.

    The first round is a pipeline, which asks on by itself until rules and selection accept `n` rows. Where a judge or
    likeness in meaning then rejects some of them, the next rounds make up for it.

    A first round without one usable line is the last.

    Raises:
        HanjulError: rows are counted, and the gate lets none in.
    """
    written = WritingResult()
    settings, keep = job.settings, job.recipe.filter.keep_per_pair
    if settings.n is None:
        written.add(job.run_pipeline(job.writing(pairs, None)))
        return written
    if job.gate and job.gate.threshold is None:
        raise HanjulError(
            f"No row would be accepted: {job.gate.why}",
            "synthesize.n, filter.judge",
            "set synthesize.n to null to write candidates, or filter.judge to none if you trust the teacher",
        )
    human, _ = apply_rules(people, job.limits)
    pairs = [pair for pair in pairs if split_of(pair["product"]) == "train"]  # the filter keeps no row of others
    known: dict[str, float] = {}

    def accepted(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return accepted_rows(job, human, lines, known)

    rounds = Rounds(pairs, settings.n, settings.attempts, keep)
    if settings.budget.batch:  # a batch's answers come together: there is nothing to ask on for meanwhile
        results = job.run_pipeline(job.writing(rounds.next((), 0, ()), None))
    else:
        results = job.run_pipeline(job.writing(pairs, rounds, human))
    asked: list[str] = []
    while True:
        before = len(written.lines)
        written.add(results)
        asked += [result.id for result in results]
        kept = accepted(written.lines)
        so_far = f"{counted(len(results), 'pair')} asked, {len(kept)} of {counted(settings.n, 'row')}"
        log(f"synthesize: round {len(written.rounds)}, {so_far}")
        if len(kept) > settings.n:
            written.lines = cut(written.lines, lambda lines: len(accepted(lines)), settings.n, before)
            kept = accepted(written.lines)
        useless = written.is_useless(job.endpoint)
        chosen = [] if written.limit or useless else rounds.next(asked, len(kept), served(kept, keep))
        if not chosen:
            break
        results = job.write_here(job.writing(chosen, None))
    if len(kept) >= settings.n:
        written.limit = ""
    elif not written.limit and not useless:
        written.limit = f"each pair that lacks a row was asked {settings.attempts} times (synthesize.attempts)"
    written.accepted = len(kept)
    return written


def accepted_rows(
    job: WritingJob, human: list[dict[str, Any]], lines: Sequence[dict[str, Any]], known: dict[str, float]
) -> list[dict[str, Any]]:
    """The synthesised rows that `hanjul filter` will keep of these.

    Args:
        human: tidied rows of people that break no rule.
        lines: raw rows with `reason` and `evidence`.
        known: id -> P(usable) of lines that were scored in an earlier round; those that are scored now are added.
    """
    rows = passed(lines)
    if job.gate:
        rows = with_sense(rows, job.gate, known)
    kept, _ = partition_passed([*human, *rows], job.limits, job.gate, job.recipe)
    return [row for row in kept if is_synthesised(row)]
