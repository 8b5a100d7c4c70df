"""What one judge says of several systems: a verdict on every line, duels between every two, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_card.comparison import statistics
from model_card.comparison.report import METRICS, Difference, Duel, Interval, Judgement, Verdict
from model_card.comparison.surface import Answer, is_broken
from model_card.judging.deepeval_metrics import PV, Creativity, Naturalness, as_test_case
from model_card.judging.judge import Judge
from pipelines.errors import HanjulError
from pipelines.likelihood.scorer import Scorable

Array = NDArray[Any]

_BROKEN = Verdict(dict.fromkeys(METRICS, 0.0), dict.fromkeys(METRICS, "깨진 줄이라 0점입니다."))


def verdicts(judge: Judge, systems: Sequence[Sequence[Answer]]) -> list[list[Verdict | None]]:
    """One verdict for each line of each system, by the deepeval metrics; None where the judge has none.

    A broken line scores 0 in every metric, unasked. All others go to the judge in one batch, and the metrics look up
    what it said.
    """
    judge.verdicts([_row(answer) for answers in systems for answer in answers if not is_broken(answer.line)])
    return [[_verdict(judge, answer) for answer in answers] for answers in systems]


def judgement(
    judge: Judge,
    names: Sequence[str],
    systems: Sequence[Sequence[Answer]],
    said: Sequence[Sequence[Verdict | None]],
    *,
    bootstrap: int,
    seed: int,
) -> Judgement:
    """Means, duels and ratings of the systems.

    A pair that the judge left without a verdict or a duel for any system is left out for all: means over different
    pairs are no comparison.

    Args:
        systems: the same pairs in the same order for each.
        said: what `verdicts` gave for them.

    Raises:
        HanjulError: no pair is left.
    """
    pair_of, pairs = _numbered(systems[0])
    scores = np.array([[_scores(found) for found in by_line] for by_line in said])  # [systems, lines, metrics]
    couples = [(later, earlier) for earlier, later in combinations(range(len(systems)), 2)]
    unscored = np.isnan(scores).any(axis=(0, 2))
    outcomes = _outcomes(judge, systems, couples, ~np.isin(pair_of, pair_of[unscored]))
    kept = ~np.isin(pair_of, pair_of[unscored | np.isnan(outcomes).any(axis=1)])
    if not kept.any():
        raise HanjulError(
            f"{judge.facts.name} judged none of the {pairs} pairs", next_step="see what it answers, or leave it out"
        )
    averaging = _averaging(pair_of[kept])
    by_pair = np.einsum("pl,slm->spm", averaging, scores[:, kept])
    weights = statistics.resamples(len(averaging), bootstrap, seed)
    sds = scores[:, kept].std(axis=1, ddof=1) if kept.sum() > 1 else np.zeros((len(systems), len(METRICS)))
    rated = statistics.ratings(averaging @ outcomes[kept], couples, len(systems), weights)
    return Judgement(
        judge=judge.facts,
        means={name: _intervals(by_pair[place], weights) for place, name in enumerate(names)},
        sds={name: dict(zip(METRICS, map(float, sds[place]), strict=True)) for place, name in enumerate(names)},
        duels=_duels(names, couples, averaging, outcomes[kept], by_pair, weights, seed),
        ratings=dict(zip(names, rated, strict=True)),
        unjudged=pairs - len(averaging),
    )


def _verdict(judge: Judge, answer: Answer) -> Verdict | None:
    if is_broken(answer.line):
        return _BROKEN
    if judge.verdicts([_row(answer)])[0] is None:
        return None
    case = as_test_case(answer.product, list(answer.values), answer.line)
    metrics = (PV(judge), Naturalness(judge), Creativity(judge))
    for metric in metrics:
        metric.measure(case)
    return Verdict(
        {metric.metric: metric.score for metric in metrics}, {metric.metric: str(metric.reason) for metric in metrics}
    )


def _row(answer: Answer) -> Scorable:
    return {"product": answer.product, "values": list(answer.values), "ad_copy": answer.line}


def _scores(verdict: Verdict | None) -> list[float]:
    return [verdict.scores[metric] if verdict else np.nan for metric in METRICS]


def _numbered(answers: Sequence[Answer]) -> tuple[Array, int]:
    """For each line the number of its pair, in order of appearance, and how many pairs there are."""
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    found = [numbers.setdefault((answer.product, answer.values), len(numbers)) for answer in answers]
    return np.array(found), len(numbers)


def _averaging(pair_of: Array) -> Array:
    """[pairs, lines]: times numbers by line, their mean by pair. Lines for one pair are not independent."""
    belongs = (np.unique(pair_of)[:, None] == pair_of).astype(float)
    return np.asarray(belongs / belongs.sum(axis=1, keepdims=True))


def _outcomes(
    judge: Judge, systems: Sequence[Sequence[Answer]], couples: Sequence[tuple[int, int]], wanted: Array
) -> Array:
    """What the first system of each couple gets, line by line, [lines, couples].

    NaN where the judge will not say, and for lines that are not `wanted`. The judge is asked in one batch about lines
    that differ and are both whole: equal lines tie, and a broken one loses against a whole one.
    """
    found = np.full((len(wanted), len(couples)), np.nan)
    asked, places = [], []
    for line in map(int, np.flatnonzero(wanted)):
        for column, (first, second) in enumerate(couples):
            one, other = systems[first][line], systems[second][line]
            whole, other_whole = not is_broken(one.line), not is_broken(other.line)
            if whole and other_whole and one.line != other.line:
                asked.append((_row(one), _row(other)))
                places.append((line, column))
            else:
                found[line, column] = 0.5 + 0.5 * (whole - other_whole)
    for place, outcome in zip(places, judge.duels(asked) if asked else [], strict=True):
        found[place] = np.nan if outcome is None else outcome
    return found


def _intervals(by_pair: Array, weights: Array) -> dict[str, Interval]:
    return {metric: statistics.interval(by_pair[:, place], weights) for place, metric in enumerate(METRICS)}


def _duels(
    names: Sequence[str],
    couples: Sequence[tuple[int, int]],
    averaging: Array,
    outcomes: Array,
    by_pair: Array,
    weights: Array,
    seed: int,
) -> tuple[Duel, ...]:
    if not couples:
        return ()
    differences = np.stack([by_pair[first] - by_pair[second] for first, second in couples], axis=1)
    p = statistics.sign_flip_test(differences.reshape(len(averaging), -1), seed)
    p, p_holm = p.reshape(len(couples), -1), statistics.holm(p).reshape(len(couples), -1)
    lost, tied, won = ((averaging @ (outcomes == end)).mean(axis=0) for end in (0.0, 0.5, 1.0))
    return tuple(
        Duel(
            system=names[first],
            reference=names[second],
            wins=float(won[place]),
            ties=float(tied[place]),
            losses=float(lost[place]),
            differences={
                metric: Difference(mean, float(p[place, column]), float(p_holm[place, column]))
                for column, (metric, mean) in enumerate(_intervals(differences[:, place], weights).items())
            },
        )
        for place, (first, second) in enumerate(couples)
    )
