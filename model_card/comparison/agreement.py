"""People's votes on two lines for one pair, how far people agree, and how far a judge agrees with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model_card.comparison.krippendorff import alpha_interval
from model_card.judging.facts import People
from model_card.judging.judge import Judge, LinePair
from model_card.statistics import Interval, mean_interval, resamples
from pipelines.metrics import METRICS

Choice = Literal["a", "b", "tie"]

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
        shown_first: `a` or `b`; empty where nobody noted it.
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
    shown_first: Literal["a", "b", ""]
    seconds: float | None
    voted_at: str


def latest(votes: Iterable[Vote]) -> list[Vote]:
    """The last vote of each person on each item and question, the oldest first."""
    last: dict[tuple[str, str, str], Vote] = {}
    for vote in sorted(votes, key=lambda vote: vote.voted_at):
        key = vote.voter, vote.item, vote.question
        last.pop(key, None)
        last[key] = vote
    return list(last.values())


def counted_votes(votes: Iterable[Vote]) -> list[Vote]:
    """The votes that count beside a judge: those on the whole line, else those on the question asked most."""
    last = latest(votes)
    counts = Counter(vote.question for vote in last)
    question = OVERALL if counts[OVERALL] or not counts else max(QUESTIONS, key=lambda name: counts[name])
    return [vote for vote in last if vote.question == question]


def line_pairs(votes: Iterable[Vote]) -> list[LinePair]:
    """The rows to ask a judge about: line a and line b of each item of `counted_votes`, in the order of `people`."""
    pairs: list[LinePair] = []
    for choices in _by_item(counted_votes(votes)).values():
        vote = choices[0]
        product, values = vote.product, list(vote.values)
        pairs.append(
            (
                {"product": product, "values": values, "ad_copy": vote.line_a},
                {"product": product, "values": values, "ad_copy": vote.line_b},
            )
        )
    return pairs


def outcomes(judge: Judge, votes: Sequence[Vote]) -> list[float | None]:
    """What a judge gives line a of each of `line_pairs`: 1, 0.5, 0, or None where it will not say.

    Votes on the whole line are set beside its preference, votes by one metric beside its score in that metric, which a
    judge may not have.
    """
    pairs = line_pairs(votes)
    question = next((vote.question for vote in counted_votes(votes)), OVERALL)
    if question == OVERALL:
        return judge.compare(pairs)
    return judge.compare_scores(pairs, [question]) if question in judge.facts.calibration else [None] * len(pairs)


def people(votes: Sequence[Vote], outcomes: Sequence[float | None], *, bootstrap: int, seed: int) -> People | None:
    """A judge beside people; None where no item has both a majority for one line and an outcome.

    Args:
        outcomes: what the judge gives the first line of each of `line_pairs(votes)`, as `outcomes` says.
        bootstrap, seed: resamples of items behind the intervals, and their seed.

    Raises:
        ValueError: outcomes of other pairs of lines.
    """
    counted = counted_votes(votes)
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

    Only items with two votes or more count. None where there is no such item, or where all chose the same throughout.
    """
    units = [[ORDER[vote.choice] for vote in votes] for votes in _by_item(votes).values() if len(votes) > 1]
    return alpha_interval(units, sorted(ORDER.values()), bootstrap=bootstrap, seed=seed)


def _by_item(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    by_item: dict[str, list[Vote]] = {}
    for vote in votes:
        by_item.setdefault(vote.item, []).append(vote)
    return by_item
