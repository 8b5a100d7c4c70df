"""Several systems on the same pairs: every line judged by one or more judges, and the report on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from model_card.comparison.judgement import judgement, verdicts
from model_card.comparison.report import Line, Report, System
from model_card.comparison.surface import Answer, copies, distinct, is_broken, leaks
from model_card.judging.facts import Verdict
from model_card.judging.judge import Judge
from pipelines.rows import user_message

__all__ = ["Answer", "Candidate", "EvalSplit", "evaluate_systems"]


@dataclass(frozen=True)
class Candidate:
    """A system and its answers.

    Attributes:
        name: what tables and figures call it; unique in a report.
        model, revision: repo id and commit sha of the model asked.
        answers: one or more lines for each pair, in the same order of pairs for every system.
        tokens_per_second: new tokens a second while it wrote; None where another machine wrote.
    """

    name: str
    model: str
    revision: str
    answers: tuple[Answer, ...]
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class EvalSplit:
    """Where the pairs come from: dataset repo id, commit sha, split."""

    dataset: str
    revision: str
    split: str


def evaluate_systems(
    judges: Sequence[Judge],
    candidates: Sequence[Candidate],
    split: EvalSplit,
    training_lines: Sequence[str],
    *,
    bootstrap: int,
    seed: int,
) -> Report:
    """The report on what the candidates wrote for the same pairs.

    Args:
        judges: of those that are equally reliable the first one leads.
        candidates: shown in this order; every two are compared, the later one with the earlier one.
        training_lines: of the rows that were trained on, to find copies of them.
        bootstrap, seed: resamples of pairs behind every interval, and the seed of resamples and tests.

    Raises:
        ValueError: no judge, no candidate, no answers, a name twice, systems that were not asked the same pairs, or a
            judge that left every pair unjudged.
    """
    _check(judges, candidates)
    answers = [candidate.answers for candidate in candidates]
    by_judge = {judge.facts.name: verdicts(judge, answers) for judge in judges}
    copied = copies([answer.line for by_line in answers for answer in by_line], training_lines)
    systems = tuple(
        _system(candidate, {name: by_system[place] for name, by_system in by_judge.items()}, copied)
        for place, candidate in enumerate(candidates)
    )
    names = [candidate.name for candidate in candidates]
    return Report(
        dataset=split.dataset,
        dataset_revision=split.revision,
        dataset_split=split.split,
        pairs=len({(answer.product, answer.values) for answer in answers[0]}),
        bootstrap=bootstrap,
        seed=seed,
        systems=systems,
        judgements=tuple(
            judgement(judge, names, answers, by_judge[judge.facts.name], bootstrap=bootstrap, seed=seed)
            for judge in judges
        ),
    )


def _check(judges: Sequence[Judge], candidates: Sequence[Candidate]) -> None:
    if not judges:
        raise ValueError("Nobody to judge: give at least one judge")
    if not candidates or not candidates[0].answers:
        raise ValueError("Nothing to evaluate: give at least one system with answers")
    for kind, names in (
        ("judges", [judge.facts.name for judge in judges]),
        ("systems", [candidate.name for candidate in candidates]),
    ):
        if len(set(names)) < len(names):
            raise ValueError(f"Two {kind} have one name: {names}")
    first = [(answer.product, answer.values) for answer in candidates[0].answers]
    for candidate in candidates[1:]:
        if [(answer.product, answer.values) for answer in candidate.answers] != first:
            raise ValueError(f"{candidate.name} was not asked the same pairs as {candidates[0].name}")


def _system(candidate: Candidate, by_judge: dict[str, list[Verdict | None]], copied: dict[str, str]) -> System:
    lines = tuple(
        Line(
            prompt=user_message(answer.product, answer.values)["content"],
            product=answer.product,
            values=answer.values,
            line=answer.line,
            verdicts={name: verdict for name, by_line in by_judge.items() if (verdict := by_line[place])},
            leak=leaks(answer.product, answer.values, answer.line),
            broken=is_broken(answer.line),
            copied_from=copied.get(answer.line, ""),
        )
        for place, answer in enumerate(candidate.answers)
    )
    texts = [line.line for line in lines]
    return System(
        name=candidate.name,
        model=candidate.model,
        revision=candidate.revision,
        leak_rate=fmean(line.leak for line in lines),
        broken_rate=fmean(line.broken for line in lines),
        copy_rate=fmean(bool(line.copied_from) for line in lines),
        distinct={str(n): distinct(texts, n) for n in (1, 2, 3)},
        length=fmean(map(len, texts)),
        tokens_per_second=candidate.tokens_per_second,
        lines=lines,
    )
