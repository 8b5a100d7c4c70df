"""What one judge says of several systems: a verdict on every line, every two systems compared, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from model_card import statistics
from model_card.comparison.report import Difference, Judgement, PairwiseComparison
from model_card.comparison.surface import Answer, is_broken
from model_card.judging.deepeval_metrics import JUDGED_METRICS, as_test_case
from model_card.judging.facts import Verdict
from model_card.judging.judge import Judge
from model_card.statistics import Array, Interval
from pipelines.errors import HanjulError
from pipelines.rows import Scorable

_BROKEN_REASON = "깨진 카피라 0점입니다."


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
    line_verdicts: Sequence[Sequence[Verdict | None]],
    *,
    bootstrap: int,
    seed: int,
) -> Judgement:
    """Means, pairwise comparisons and ratings of the systems.

    A pair of product and values that the judge left without a verdict or a comparison for any system is left out for
    all: means over different pairs are no comparison.

    Args:
        systems: the same pairs in the same order for each.
        line_verdicts: what `verdicts` gave for them.

    Raises:
        HanjulError: no pair is left.
    """
    metrics = list(judge.facts.calibration)
    pair_of, pairs = _numbered(systems[0])
    scores = np.array([[_scores(verdict, metrics) for verdict in by_line] for by_line in line_verdicts])
    pairings = [(later, earlier) for earlier, later in combinations(range(len(systems)), 2)]
    unscored = np.isnan(scores).any(axis=(0, 2))  # of [systems, lines, metrics]
    outcomes = _outcomes(judge, systems, pairings, ~np.isin(pair_of, pair_of[unscored]))
    kept = ~np.isin(pair_of, pair_of[unscored | np.isnan(outcomes).any(axis=1)])
    if not kept.any():
        raise HanjulError(
            f"{judge.facts.name} judged none of the {pairs} pairs", next_step="see what it answers, or leave it out"
        )
    averaging = _averaging(pair_of[kept])
    by_pair = np.einsum("pl,slm->spm", averaging, scores[:, kept])
    counts = statistics.resamples(len(averaging), bootstrap, seed)
    sds = scores[:, kept].std(axis=1, ddof=1) if kept.sum() > 1 else np.zeros((len(systems), len(metrics)))
    rated = statistics.ratings(averaging @ outcomes[kept], pairings, len(systems), counts)
    return Judgement(
        judge=judge.facts,
        means={name: _intervals(by_pair[place], metrics, counts) for place, name in enumerate(names)},
        sds={name: dict(zip(metrics, map(float, sds[place]), strict=True)) for place, name in enumerate(names)},
        duels=_compared(names, pairings, averaging, outcomes[kept], by_pair, metrics, counts, seed),
        ratings=dict(zip(names, rated, strict=True)),
        unjudged=pairs - len(averaging),
    )


def _verdict(judge: Judge, answer: Answer) -> Verdict | None:
    metrics = list(judge.facts.calibration)
    if is_broken(answer.line):
        return Verdict(dict.fromkeys(metrics, 0.0), dict.fromkeys(metrics, _BROKEN_REASON))
    if judge.verdicts([_row(answer)])[0] is None:
        return None
    case = as_test_case(answer.product, list(answer.values), answer.line)
    measured = {key: JUDGED_METRICS[key](judge) for key in metrics}
    for metric in measured.values():
        metric.measure(case)
    return Verdict(
        {key: metric.score for key, metric in measured.items()},
        {key: str(metric.reason) for key, metric in measured.items()},
    )


def _row(answer: Answer) -> Scorable:
    return {"product": answer.product, "values": list(answer.values), "ad_copy": answer.line}


def _scores(verdict: Verdict | None, metrics: Sequence[str]) -> list[float]:
    return [verdict.scores[metric] if verdict else np.nan for metric in metrics]


def _numbered(answers: Sequence[Answer]) -> tuple[Array, int]:
    """For each line the number of its pair, in order of appearance, and how many pairs there are."""
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    by_line = [numbers.setdefault((answer.product, answer.values), len(numbers)) for answer in answers]
    return np.array(by_line), len(numbers)


def _averaging(pair_of: Array) -> Array:
    """[pairs, lines]: times numbers by line, their mean by pair. Lines for one pair are not independent."""
    belongs = (np.unique(pair_of)[:, None] == pair_of).astype(float)
    return np.asarray(belongs / belongs.sum(axis=1, keepdims=True))


def _outcomes(
    judge: Judge, systems: Sequence[Sequence[Answer]], pairings: Sequence[tuple[int, int]], wanted: Array
) -> Array:
    """What the first system of each pairing gets, line by line, [lines, pairings].

    NaN where the judge will not say, and for lines that are not `wanted`. The judge is asked in one batch about lines
    that differ and are both whole: equal lines tie, and a broken one loses against a whole one.
    """
    outcomes = np.full((len(wanted), len(pairings)), np.nan)
    compared, places = [], []
    for line in map(int, np.flatnonzero(wanted)):
        for column, (first, second) in enumerate(pairings):
            one, other = systems[first][line], systems[second][line]
            whole, other_whole = not is_broken(one.line), not is_broken(other.line)
            if whole and other_whole and one.line != other.line:
                compared.append((_row(one), _row(other)))
                places.append((line, column))
            else:
                outcomes[line, column] = 0.5 + 0.5 * (whole - other_whole)
    for place, outcome in zip(places, judge.compare(compared) if compared else [], strict=True):
        outcomes[place] = np.nan if outcome is None else outcome
    return outcomes


def _intervals(by_pair: Array, metrics: Sequence[str], counts: Array) -> dict[str, Interval]:
    return {metric: statistics.mean_interval(by_pair[:, place], counts) for place, metric in enumerate(metrics)}


def _compared(
    names: Sequence[str],
    pairings: Sequence[tuple[int, int]],
    averaging: Array,
    outcomes: Array,
    by_pair: Array,
    metrics: Sequence[str],
    counts: Array,
    seed: int,
) -> tuple[PairwiseComparison, ...]:
    if not pairings:
        return ()
    differences = np.stack([by_pair[first] - by_pair[second] for first, second in pairings], axis=1)
    p = statistics.sign_flip_test(differences.reshape(len(averaging), -1), seed)
    p, p_holm = p.reshape(len(pairings), -1), statistics.holm(p).reshape(len(pairings), -1)
    lost, tied, won = ((averaging @ (outcomes == end)).mean(axis=0) for end in (0.0, 0.5, 1.0))
    return tuple(
        PairwiseComparison(
            system=names[first],
            reference=names[second],
            wins=float(won[place]),
            ties=float(tied[place]),
            losses=float(lost[place]),
            differences={
                metric: Difference(mean, float(p[place, column]), float(p_holm[place, column]))
                for column, (metric, mean) in enumerate(_intervals(differences[:, place], metrics, counts).items())
            },
        )
        for place, (first, second) in enumerate(pairings)
    )
