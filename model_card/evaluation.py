"""Several systems on the same pairs: judge every line, and compute what the report says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_card.facts import METRICS, Difference, Interval, Line, Report, System
from model_card.judge import Judge
from model_card.metrics import PV, Creativity, Naturalness, as_test_case


@dataclass(frozen=True)
class Answer:
    """One line that a system gave for a pair."""

    product: str
    values: tuple[str, ...]
    line: str


@dataclass(frozen=True)
class Candidate:
    """A system and its answers.

    Attributes:
        name: what tables and figures call it; unique in a report.
        model, revision: repo id and commit sha of the model asked.
        answers: the same number of lines for each pair, pairs in the same order for every system.
    """

    name: str
    model: str
    revision: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class EvalSplit:
    """Where the pairs come from: dataset repo id, commit sha, split."""

    dataset: str
    revision: str
    split: str


def evaluate_systems(
    judge: Judge, candidates: Sequence[Candidate], split: EvalSplit, *, bootstrap: int, seed: int
) -> Report:
    """The report. The first candidate is the reference that the others are compared with, pair by pair.

    Raises:
        ValueError: no candidate, no answers, or systems that were not asked the same pairs.
    """
    _check(candidates)
    lines = {candidate.name: _judged(judge, candidate.answers) for candidate in candidates}
    by_pair = {name: _pair_means(found) for name, found in lines.items()}
    pairs = len(by_pair[candidates[0].name])
    draws = np.random.default_rng(seed).integers(pairs, size=(bootstrap, pairs))
    reference = candidates[0].name
    return Report(
        judge=judge.name,
        dataset=split.dataset,
        dataset_revision=split.revision,
        dataset_split=split.split,
        pairs=pairs,
        bootstrap=bootstrap,
        seed=seed,
        systems=tuple(_system(c, lines[c.name], by_pair[c.name], draws) for c in candidates),
        differences=tuple(
            Difference(c.name, reference, _intervals(by_pair[c.name] - by_pair[reference], draws))
            for c in candidates[1:]
        ),
        calibration=judge.calibration,
    )


def leaks(product: str, values: Sequence[str], line: str) -> bool:
    """Whether the product or a value stands verbatim in the line, spaces aside."""
    flat = "".join(line.split())
    return any("".join(word.split()) in flat for word in (product, *values))


def is_broken(line: str) -> bool:
    """Empty, more than one line, without a Hangul syllable, or with one of the prompt's labels."""
    return "\n" in line.strip() or not re.search("[가-힣]", line) or bool(re.search("(상품|가치|카피) ?:", line))


def distinct_2(lines: Sequence[str]) -> float:
    """Distinct character bigrams / all character bigrams, after Li et al. 2016, arXiv:1510.03055; 0 without any."""
    bigrams = [line[i : i + 2] for line in lines for i in range(len(line) - 1)]
    return len(set(bigrams)) / len(bigrams) if bigrams else 0.0


def _check(candidates: Sequence[Candidate]) -> None:
    if not candidates or not candidates[0].answers:
        raise ValueError("Nothing to evaluate: give at least one system with answers")
    if len({candidate.name for candidate in candidates}) < len(candidates):
        raise ValueError(f"Two systems have one name: {[candidate.name for candidate in candidates]}")
    first = [(answer.product, answer.values) for answer in candidates[0].answers]
    for candidate in candidates[1:]:
        if [(answer.product, answer.values) for answer in candidate.answers] != first:
            raise ValueError(f"{candidate.name} was not asked the same pairs as {candidates[0].name}")


def _judged(judge: Judge, answers: Sequence[Answer]) -> tuple[Line, ...]:
    """Every answer measured by the deepeval metrics, which look up what the judge has scored in one go."""
    whole = [answer for answer in answers if not is_broken(answer.line)]
    judge.scores([{"product": a.product, "values": list(a.values), "ad_copy": a.line} for a in whole])
    metrics = (PV(judge), Naturalness(judge), Creativity(judge))
    lines = []
    for answer in answers:
        case = as_test_case(answer.product, list(answer.values), answer.line)
        broken = is_broken(answer.line)
        lines.append(
            Line(
                prompt=case.input,
                product=answer.product,
                values=answer.values,
                line=answer.line,
                scores={metric.metric: 0.0 if broken else metric.measure(case) for metric in metrics},
                leak=leaks(answer.product, answer.values, answer.line),
                broken=broken,
            )
        )
    return tuple(lines)


def _pair_means(lines: Sequence[Line]) -> NDArray[Any]:
    """Scores averaged within each pair, [pairs, metrics]: lines for one pair are not independent."""
    groups: dict[tuple[str, tuple[str, ...]], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.product, line.values), []).append(line)
    return np.array([[fmean(line.scores[metric] for line in group) for metric in METRICS] for group in groups.values()])


def _intervals(by_pair: NDArray[Any], draws: NDArray[Any]) -> dict[str, Interval]:
    """Mean over pairs with its 95 % percentile bootstrap interval, by metric."""
    means = by_pair[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    centre = by_pair.mean(axis=0)
    return {metric: Interval(float(centre[i]), float(low[i]), float(high[i])) for i, metric in enumerate(METRICS)}


def _system(candidate: Candidate, lines: tuple[Line, ...], by_pair: NDArray[Any], draws: NDArray[Any]) -> System:
    spread = np.array([[line.scores[metric] for metric in METRICS] for line in lines])
    sds = spread.std(axis=0, ddof=1) if len(lines) > 1 else np.zeros(len(METRICS))
    return System(
        name=candidate.name,
        model=candidate.model,
        revision=candidate.revision,
        means=_intervals(by_pair, draws),
        sds={metric: float(sds[i]) for i, metric in enumerate(METRICS)},
        leak_rate=fmean(line.leak for line in lines),
        broken_rate=fmean(line.broken for line in lines),
        distinct_2=distinct_2([line.line for line in lines]),
        length=fmean(len(line.line) for line in lines),
        lines=lines,
    )
