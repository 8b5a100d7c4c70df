"""What is chosen: the better of what is there, nothing twice, and with `like` what is near to it."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selection import NEAR_DUPLICATE, Selection, _pairs, similarity

from model_card.judging.graded import graded_lines, is_usable, of_part
from model_card.judging.sense.published import read_judge

WORDS = st.sampled_from(["아침", "창문을", "커피가", "먼저", "깨워요", "열면", "바다", "어깨가", "가벼운", "하루"])
LINES = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
CANDIDATES = st.lists(st.tuples(LINES, st.floats(-5, 5)), max_size=12)


def taken(selection: Selection) -> list[str]:
    found = []
    while (line := selection.take()) is not None:
        found.append(line)
    return found


def near(left: str, right: str) -> float:
    return similarity(_pairs(left), _pairs(right))


@given(CANDIDATES)
def test_what_is_taken_was_added_and_repeats_nothing(candidates):
    selection = Selection()
    for line, score in candidates:
        selection.add(line, score)
    found = taken(selection)
    assert set(found) <= {line for line, _ in candidates}
    assert all(near(left, right) < NEAR_DUPLICATE for left, right in combinations(found, 2))
    missed = {line for line, _ in candidates} - set(found)
    assert all(any(near(line, other) >= NEAR_DUPLICATE for other in found) for line in missed)


@given(CANDIDATES.filter(bool))
def test_the_first_is_the_best(candidates):
    selection = Selection()
    for line, score in candidates:
        selection.add(line, score)
    best = max(score for _, score in candidates)
    assert selection.take() in {line for line, score in candidates if score == best}


@given(CANDIDATES, LINES)
def test_more_like_a_line_is_never_the_line_itself(candidates, like):
    selection = Selection(like=like)
    for line, score in candidates:
        selection.add(line, score)
    assert all(near(line, like) < NEAR_DUPLICATE for line in taken(selection))


def test_of_equally_good_lines_the_one_that_differs_comes_next():
    selection = Selection()
    for line, score in (
        ("창문을 열면 아침이 먼저", 1.0),
        ("창문을 열면 하루가 먼저예요", 0.5),
        ("어깨가 가벼운 길", 0.5),
    ):
        selection.add(line, score)
    assert taken(selection) == ["창문을 열면 아침이 먼저", "어깨가 가벼운 길", "창문을 열면 하루가 먼저예요"]


def test_of_equally_good_lines_the_one_that_is_like_comes_first():
    selection = Selection(like="창문을 열면 아침이 먼저")
    for line in ("어깨가 가벼운 길", "창문을 열면 하루가 먼저예요"):
        selection.add(line, 0.5)
    assert selection.take() == "창문을 열면 하루가 먼저예요"


def test_candidates_that_come_later_are_chosen_among_too():
    selection = Selection()
    selection.add("어깨가 가벼운 길", -1.0)
    assert selection.take() == "어깨가 가벼운 길" and selection.take() is None
    selection.add("바다", 0.0)
    selection.add("커피가 먼저 깨워요", 1.0)
    assert selection.take() == "커피가 먼저 깨워요"


@pytest.mark.parametrize("line", ["", "?!", "ㅋ", "\x00", "가" * 1000])
def test_any_line_can_be_added(line):
    selection = Selection(like=line)
    selection.add(line, 0.0)
    selection.add(line, 1.0)
    taken(selection)


def test_the_chosen_of_a_pair_are_usable_more_often_than_drawn_ones(critic_folder):
    """On the products that no fit has seen; as measured with all lines 0.16 instead of 0.09 where one is chosen."""
    judge = read_judge(critic_folder / "judge.npz")
    pairs = defaultdict(list)
    for line in of_part(graded_lines(), "test"):
        if line.kind == "model":
            pairs[line.row["product"], tuple(line.row["values"])].append(line)
    chosen, drawn = [], []
    for lines in [found for found in pairs.values() if len(found) >= 4][::3]:
        selection = Selection()
        for line, score in zip(lines, judge.log_odds([line.row for line in lines]), strict=True):
            selection.add(line.row["ad_copy"], score)
        best = selection.take()
        chosen.append(next(is_usable(line) for line in lines if line.row["ad_copy"] == best))
        drawn.append(np.mean([is_usable(line) for line in lines]))
    assert np.mean(chosen) > 1.3 * np.mean(drawn)
