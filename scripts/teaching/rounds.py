"""Has a teacher write until there is enough: rounds of a pipeline, and what they brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from pipelines.endpoint.answer_store import key_of
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.execution.running import run as run_pipeline
from pipelines.filters import apply_rules
from pipelines.filters.limits import Limits
from pipelines.rows import row_id
from pipelines.synthesis.prompts import Brief
from pipelines.synthesis.rounds import Rounds, cut
from pipelines.synthesis.write_lines import PairResult, build_copies_pipeline, read_leaf
from pipelines.text.tidy import tidy_row
from scripts.core.log import log
from scripts.core.settings import Recipe, SynthesizeSettings
from scripts.filtering.partition import part_passed
from scripts.teaching import teachers


@dataclass(frozen=True)
class Job:
    """What stays the same over all rounds."""

    recipe: Recipe
    endpoint: teachers.TeacherEndpoint
    brief: Brief
    limits: Limits
    folder: Path

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

    def ask(self, pairs: Sequence[dict[str, Any]]) -> list[PairResult]:
        """One round: the teacher's lines for these pairs, each checked by the rules.

        Raises:
            HanjulError: the endpoint is not there (any more). What it answered is kept.
        """

        settings = self.settings
        llm = teachers.llm_of(self.endpoint, settings, run_id=self.run_id, seed=self.recipe.seed)
        pipeline = build_copies_pipeline(
            pairs,
            llm,
            self.brief,
            teacher=self.endpoint.name,
            candidates=settings.candidates,
            limits=self.limits,
            cache_dir=self.folder / "distilabel",
            engine=settings.engine,
        )
        results = read_leaf(run_pipeline(pipeline))
        teachers.raise_if_gone(self.endpoint, (result.failure for result in results))
        return results


@dataclass
class Written:
    """What the rounds brought.

    Attributes:
        lines: raw rows with `reason` and `evidence`, in the order of the plan.
        accepted: how many of them the filters keep; None where they were not asked.
        limit: which limit ended it before `n` was reached; empty if none.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    failures: Counter[Failure] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    rounds: list[int] = field(default_factory=list)
    accepted: int | None = None
    limit: str = ""

    def add(self, results: Sequence[PairResult]) -> None:
        """The results of a round."""

        self.rounds.append(len(results))
        for result in results:
            self.lines += result.rows
            self.input_tokens += result.input_tokens
            self.output_tokens += result.output_tokens
            if result.failure and result.failure.kind is FailureKind.LIMIT:
                self.limit = result.failure.message
            elif result.failure:
                self.failures[result.failure] += 1


def write_all(job: Job, pairs: list[dict[str, Any]], people: list[dict[str, Any]], base: HfUri | None) -> Written:
    """One round over all pairs, or as many rounds as `n` accepted rows take."""
    written = Written()
    if job.settings.n is None:
        written.add(job.ask(pairs))
        return written

    settings, keep = job.settings, job.recipe.filter.keep_per_pair
    assert settings.n is not None
    human, _ = apply_rules(people, job.limits)

    def accepted(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return accepted_rows(human, lines, job.limits, base, job.recipe)

    rounds = Rounds(pairs, settings.n, settings.attempts, keep)
    kept: list[dict[str, Any]] = []
    while not written.limit and (asked := rounds.next(len(kept), _served(kept, keep))):
        before = len(written.lines)
        written.add(job.ask(asked))
        kept = accepted(written.lines)
        log(f"synthesize: round {len(written.rounds)}, {len(asked)} pairs asked, {len(kept)} of {settings.n} rows")
        if len(kept) > settings.n:
            written.lines = cut(written.lines, lambda lines: len(accepted(lines)), settings.n, before)
            kept = accepted(written.lines)
    if len(kept) >= settings.n:
        written.limit = ""
    elif not written.limit:
        written.limit = f"each pair that lacks a row was asked {settings.attempts} times (synthesize.attempts)"
    written.accepted = len(kept)
    return written


def accepted_rows(
    human: list[dict[str, Any]],
    lines: Sequence[dict[str, Any]],
    limits: Limits,
    base: HfUri | None,
    recipe: Recipe,
) -> list[dict[str, Any]]:
    """The synthesised rows that `hanjul filter` will keep of these."""

    passed = [
        tidy_row({name: row[name] for name in row if name not in ("reason", "evidence")})
        for row in lines
        if not row["reason"]
    ]
    kept, _ = part_passed([*human, *passed], limits, base, recipe)
    return [row for row in kept if row["source"] == "synthesised"]


def _served(kept: Sequence[dict[str, Any]], keep_per_pair: int) -> set[str]:
    """Ids of the pairs that have all the accepted rows that they may have."""

    rows = Counter(row_id(row["product"], row["values"], "") for row in kept)
    return {pair for pair, count in rows.items() if count >= keep_per_pair}
