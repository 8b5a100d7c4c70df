"""People's votes on two lines for one pair, how far people agree, and how far a judge agrees with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model_card.comparison.report import METRICS, Interval, People
from model_card.comparison.statistics import Array, resamples
from model_card.comparison.statistics import interval as mean_interval
from model_card.judging.judge import TIE, Judge
from pipelines.likelihood.scorer import Scorable

Choice = Literal["a", "b", "tie"]
Level = Literal["nominal", "ordinal", "interval"]

#: What a vote may be about: which line is better on the whole, or by one metric.
OVERALL = "overall"
QUESTIONS = (OVERALL, *METRICS)
#: Choices as ordinal values. A tie lies between the lines: whoever calls a tie contradicts a vote for one of them less
#: than a vote for the other does.
ORDER: dict[Choice, int] = {"a": 0, "tie": 1, "b": 2}


@dataclass(frozen=True)
class Vote:
    """What one person says of two lines.

    Attributes:
        item: 16 hex digits, the content hash of product, values and the two lines.
        line_a, line_b: in canonical (sorted) order, whichever was shown first.
        system_a, system_b: who wrote them; empty where unknown.
        question: one of `QUESTIONS`.
        voter: pseudonym.
        shown_first: `a` or `b`.
        seconds: from showing to voting; None where nobody measured.
        voted_at: UTC, ISO 8601.
    """

    item: str
    product: str
    values: tuple[str, ...]
    line_a: str
    line_b: str
    system_a: str
    system_b: str
    question: str
    choice: Choice
    voter: str
    shown_first: Literal["a", "b"]
    seconds: float | None
    voted_at: str


def latest(votes: Iterable[Vote]) -> list[Vote]:
    """The last vote of each person on each item and question, the oldest first."""
    found: dict[tuple[str, str, str], Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.voted_at):
        key = vote.voter, vote.item, vote.question
        found.pop(key, None)
        found[key] = vote
    return list(found.values())


def asked(votes: Iterable[Vote]) -> list[Vote]:
    """The votes that count beside a judge: those on the whole line, else those on the question asked most."""
    last = latest(votes)
    counts = Counter(vote.question for vote in last)
    question = OVERALL if counts[OVERALL] or not counts else max(QUESTIONS, key=lambda name: counts[name])
    return [vote for vote in last if vote.question == question]


def couples(votes: Iterable[Vote]) -> list[tuple[Scorable, Scorable]]:
    """The rows to ask a judge about: line a and line b of each item of `asked`, in the order that `people` expects."""
    found: list[tuple[Scorable, Scorable]] = []
    for choices in _by_item(asked(votes)).values():
        vote = choices[0]
        product, values = vote.product, list(vote.values)
        found.append(
            (
                {"product": product, "values": values, "ad_copy": vote.line_a},
                {"product": product, "values": values, "ad_copy": vote.line_b},
            )
        )
    return found


def outcomes(judge: Judge, votes: Sequence[Vote]) -> list[float | None]:
    """What a judge gives line a of each of `couples`: 1, 0.5, 0, or None where it will not say.

    Votes on the whole line are set beside its preference, votes by one metric beside its score in that metric.
    """

    pairs, question = couples(votes), next((vote.question for vote in asked(votes)), OVERALL)
    if question == OVERALL:
        return judge.duels(pairs)
    verdicts = judge.verdicts([row for pair in pairs for row in pair])
    found: list[float | None] = []
    for first, second in zip(verdicts[::2], verdicts[1::2], strict=True):
        lead = first.scores[question] - second.scores[question] if first and second else None
        found.append(None if lead is None else 0.5 if abs(lead) < TIE else float(lead > 0))
    return found


def people(votes: Sequence[Vote], outcomes: Sequence[float | None], *, bootstrap: int, seed: int) -> People | None:
    """A judge beside people; None where no item has both a majority for one line and an outcome.

    Args:
        outcomes: what the judge gives the first line of each of `couples(votes)`, as `Judge.duels` or `outcomes` say.
        bootstrap, seed: resamples of items behind the intervals, and their seed.

    Raises:
        ValueError: outcomes of other couples.
    """
    counted = asked(votes)
    agreed = []
    for choices, outcome in zip(_by_item(counted).values(), outcomes, strict=True):
        side = majority([vote.choice for vote in choices])
        if side and outcome is not None:
            agreed.append(outcome if side == "a" else 1 - outcome)
    if not agreed:
        return None
    return People(
        people=len({vote.voter for vote in counted}),
        votes=len(counted),
        items=len(agreed),
        alpha=alpha_of(counted, bootstrap=bootstrap, seed=seed),
        agreement=mean_interval(np.array(agreed), resamples(len(agreed), bootstrap, seed)),
    )


def majority(choices: Sequence[Choice]) -> Literal["a", "b"] | None:
    """The line that more than half of the votes are for, or None."""
    counts = Counter(choices)
    if 2 * counts["a"] > len(choices):
        return "a"
    return "b" if 2 * counts["b"] > len(choices) else None


def alpha_of(votes: Iterable[Vote], *, bootstrap: int, seed: int) -> Interval | None:
    """Ordinal alpha among people on one question, with its 95 % bootstrap interval over items.

    Only items with two votes or more count. None where there is no such item, or where all chose the same throughout;
    resamples in which all did are passed over.
    """
    units = [[ORDER[vote.choice] for vote in votes] for votes in _by_item(votes).values() if len(votes) > 1]
    value = krippendorff_alpha(units, "ordinal")
    if value is None:
        return None
    scale = np.array(sorted(ORDER.values()))
    seen = _coincidences(units, scale).reshape(len(units), -1)
    drawn = resamples(len(units), bootstrap, seed) * len(units) @ seen
    low, high = np.nanquantile(_alphas(drawn.reshape(-1, len(scale), len(scale)), scale, "ordinal"), [0.025, 0.975])
    return Interval(value, float(low), float(high))


def krippendorff_alpha(units: Sequence[Sequence[float]], level: Level = "nominal") -> float | None:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance gives (Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability").

    Args:
        units: for each unit the values that observers gave it. Missing values are simply not there, and units with
            less than two values say nothing.
        level: how values differ: not at all or wholly, by the ranks between them, or by their squared distance.

    Returns:
        None where alpha is undefined: no unit with two values, or one value throughout.
    """
    scale = np.array(sorted({value for unit in units for value in unit}))
    alpha = float(_alphas(_coincidences(units, scale).sum(axis=0)[None], scale, level)[0])
    return None if np.isnan(alpha) else alpha


def _coincidences(units: Sequence[Sequence[float]], scale: Array) -> Array:
    """[units, values, values]: pairs of values within each unit, of two observers; a unit of m values weighs m."""
    counts = np.array([[list(unit).count(value) for value in scale] for unit in units], dtype=float)
    counts = counts.reshape(len(units), len(scale))
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(scale))
    return np.asarray(pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None])


def _alphas(seen: Array, scale: Array, level: Level) -> Array:
    """Alpha of each of [draws, values, values] coincidences; NaN where it is undefined."""
    totals = seen.sum(axis=-1)
    if level == "nominal":
        differ = 1 - np.eye(len(scale))[None]
    else:  # the sum over ranks in the paper's formula is the distance of mid-ranks
        place = scale[None] if level == "interval" else np.cumsum(totals, axis=-1) - totals / 2
        differ = (place[:, :, None] - place[:, None, :]) ** 2
    observed = (seen * differ).sum(axis=(-1, -2))
    expected = (totals[:, :, None] * totals[:, None, :] * differ).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (totals.sum(axis=-1) - 1) * observed / expected, np.nan))


def _by_item(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.item, []).append(vote)
    return found
