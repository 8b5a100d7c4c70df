"""What one judge says of several systems: a verdict on every line, every two systems compared, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from model_card import statistics
from model_card.comparison.report import Difference, Judgement, PairwiseComparison
from model_card.comparison.surface import Answer, is_broken
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
    all: means over different pairs are no comparison. A judge whose comparisons cost something compares the systems on
    some of the pairs, drawn by seed: all of them on the same ones, so that ratings are of like with like.

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
    asked = _drawn(judge, pair_of, ~np.isin(pair_of, pair_of[unscored]), len(pairings), seed)
    outcomes = _outcomes(judge, systems, pairings, asked)
    kept = ~np.isin(pair_of, pair_of[unscored | asked & np.isnan(outcomes).any(axis=1)])
    met = kept & asked
    if not met.any():
        raise HanjulError(
            f"{judge.facts.name} judged none of the {pairs} pairs", next_step="see what it answers, or leave it out"
        )
    averaging = _averaging(pair_of[kept])
    by_pair = np.einsum("pl,slm->spm", averaging, scores[:, kept])
    counts = statistics.resamples(len(averaging), bootstrap, seed)
    sds = scores[:, kept].std(axis=1, ddof=1) if kept.sum() > 1 else np.zeros((len(systems), len(metrics)))
    won = _averaging(pair_of[met]) @ np.stack([outcomes[met] == end for end in (1.0, 0.5, 0.0)])
    rated = statistics.ratings(
        won[0] + won[1] / 2, pairings, len(systems), statistics.resamples(won.shape[1], bootstrap, seed)
    )
    return Judgement(
        judge=judge.facts,
        means={name: _intervals(by_pair[place], metrics, counts) for place, name in enumerate(names)},
        sds={name: dict(zip(metrics, map(float, sds[place]), strict=True)) for place, name in enumerate(names)},
        duels=_compared(names, pairings, won.mean(axis=1), by_pair, metrics, counts, seed),
        ratings=dict(zip(names, rated, strict=True)),
        unjudged=pairs - len(averaging),
        compared=None if (met == kept).all() else won.shape[1],
    )


def _verdict(judge: Judge, answer: Answer) -> Verdict | None:
    metrics = list(judge.facts.calibration)
    if is_broken(answer.line):
        return Verdict(dict.fromkeys(metrics, 0.0), dict.fromkeys(metrics, _BROKEN_REASON))
    if judge.verdicts([_row(answer)])[0] is None:
        return None
    from model_card.judging.deepeval_metrics import JUDGED_METRICS, as_test_case

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


def _drawn(judge: Judge, pair_of: Array, scored: Array, pairings: int, seed: int) -> Array:
    """Which lines are compared, [lines]: those of all scored pairs, or of as many as the judge may be asked about."""
    pairs = np.unique(pair_of[scored])
    if judge.duels is None or judge.duels >= scored.sum() * pairings:
        return scored
    lines_per_pair = scored.sum() / len(pairs)
    most = max(1, int(judge.duels / (lines_per_pair * pairings)))
    return np.asarray(np.isin(pair_of, np.random.default_rng(seed).choice(pairs, most, replace=False)))


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
    shares: Array,
    by_pair: Array,
    metrics: Sequence[str],
    counts: Array,
    seed: int,
) -> tuple[PairwiseComparison, ...]:
    """Every two systems.

    Args:
        shares: of pairs that the first system of each pairing won, tied and lost, [3, pairings].
    """
    if not pairings:
        return ()
    differences = np.stack([by_pair[first] - by_pair[second] for first, second in pairings], axis=1)
    p = statistics.sign_flip_test(differences.reshape(len(differences), -1), seed)
    p, p_holm = p.reshape(len(pairings), -1), statistics.holm(p).reshape(len(pairings), -1)
    return tuple(
        PairwiseComparison(
            system=names[first],
            reference=names[second],
            wins=float(shares[0, place]),
            ties=float(shares[1, place]),
            losses=float(shares[2, place]),
            differences={
                metric: Difference(mean, float(p[place, column]), float(p_holm[place, column]))
                for column, (metric, mean) in enumerate(_intervals(differences[:, place], metrics, counts).items())
            },
        )
        for place, (first, second) in enumerate(pairings)
    )
