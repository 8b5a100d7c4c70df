"""People beside judges: which votes count, and how far a judge agrees with them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from model_card.comparison.agreement import (
    Vote,
    alpha_of,
    counted_votes,
    latest,
    line_pairs,
    majority,
    outcomes,
    people,
)
from model_card.comparison.krippendorff import krippendorff_alpha
from model_card.judging.facts import Verdict
from model_card.judging.judge import Judge
from model_card.statistics import Interval
from tests.model_card.cards.facts import JUDGE


def vote(item: str, choice: str, voter: str, question: str = "overall", voted_at: str = "2026-01-01") -> Vote:
    return Vote(item, "책", ("쉼",), f"가{item}", f"나{item}", "", "", question, choice, voter, "a", 1.0, voted_at)


def votes(**items: str) -> list[Vote]:
    """`x="aat"`: item x has votes of three people; a dot is a missing one."""
    choices = {"a": "a", "b": "b", "t": "tie"}
    return [
        vote(item, choices[choice], f"p{place}")
        for item, row in items.items()
        for place, choice in enumerate(row)
        if choice != "."
    ]


def test_alpha_of_votes_has_an_interval_and_needs_two_people() -> None:
    found = alpha_of(votes(x="aaa", y="bb.", z="abt", w="ttt", v="b.b", u="aa."), bootstrap=500, seed=1)
    units = [[0, 0, 0], [2, 2], [0, 2, 1], [1, 1, 1], [2, 2], [0, 0]]
    assert found is not None
    assert found.value == krippendorff_alpha(units, "ordinal")
    assert found.low < found.value < found.high <= 1
    assert alpha_of(votes(x="a", y="b"), bootstrap=10, seed=1) is None
    assert alpha_of(votes(x="aa", y="aa"), bootstrap=10, seed=1) is None


def test_only_the_last_vote_of_a_person_stands() -> None:
    first, second = vote("x", "a", "p"), vote("x", "b", "p", voted_at="2026-01-02")
    other = vote("x", "a", "p", question="pv")
    for order in permutations([first, second, other]):
        assert set(latest(order)) == {second, other}


def test_votes_on_the_whole_line_count_before_others() -> None:
    whole, metric = vote("x", "a", "p"), [vote("y", "a", name, "pv") for name in ("p", "q")]
    assert counted_votes([whole, *metric]) == [whole]
    assert counted_votes([*metric, vote("y", "b", "p", "creativity")]) == metric
    assert counted_votes([]) == []


def test_majority_is_more_than_half() -> None:
    assert [majority(row) for row in (["a"], ["a", "b", "b"], ["a", "tie", "a"])] == ["a", "b", "a"]
    assert [majority(row) for row in (["a", "b"], ["tie"], ["a", "a", "b", "tie"])] == [None] * 3


def test_a_judge_beside_people() -> None:
    given = votes(w="aaa", x="bb.", y="ab.", z="aa.", v="bb.", u="bbb")
    assert line_pairs(given)[1] == (
        {"product": "책", "values": ["쉼"], "ad_copy": "가x"},
        {"product": "책", "values": ["쉼"], "ad_copy": "나x"},
    )
    found = people(given, [1.0, 0.0, 1.0, 0.5, 1.0, None], bootstrap=200, seed=1)
    assert found is not None
    assert (found.people, found.votes, found.items) == (3, 14, 4)  # y has no majority, on u the judge says nothing
    assert found.agreement.value == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert 0 <= found.agreement.low < found.agreement.value < found.agreement.high <= 1
    assert isinstance(found.alpha, Interval)
    assert people(given, [None] * 6, bootstrap=200, seed=1) is None
    with pytest.raises(ValueError, match="zip"):
        people(given, [1.0], bootstrap=200, seed=1)


class Planted(Judge):
    """Prefers the second line; its scores say so in creativity alone."""

    def __init__(self):
        super().__init__(
            JUDGE, raw=None, prefers=lambda pairs: [float(two["ad_copy"] < one["ad_copy"]) for one, two in pairs]
        )

    def verdicts(self, rows):
        scores = {"가": (0.9, 0.5, 0.2), "나": (0.1, 0.51, 0.8)}
        return [
            None
            if row["ad_copy"].endswith("x")
            else Verdict(dict(zip(JUDGE.calibration, scores[row["ad_copy"][0]], strict=True)), {})
            for row in rows
        ]


def test_a_metrics_question_is_set_beside_its_score() -> None:
    given = votes(x="a", y="a")
    assert outcomes(Planted(), given) == [0.0, 0.0]
    for question, outcome in (("pv", 1.0), ("naturalness", 0.5), ("creativity", 0.0)):
        assert outcomes(Planted(), [replace(one, question=question) for one in given]) == [None, outcome]


def test_a_judge_without_the_metric_says_nothing() -> None:
    judge = Planted()
    judge.facts = replace(JUDGE, calibration={"pv": JUDGE.calibration["pv"]})
    assert outcomes(judge, [replace(one, question="creativity") for one in votes(y="a")]) == [None]
