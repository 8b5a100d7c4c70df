"""What follows from votes: which line is better than which."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from pipelines.features import PREFERENCES
from pipelines.feedback.pairs import MOST_PER_PROMPT, Pair, Preferred, Tally, check_pairs, preferred
from pipelines.feedback.votes import count_votes
from pipelines.rows import make_row, row_id, split_of
from pipelines.text.line_index import Lines
from tests.limits import LIMITS, limits
from tests.pipelines.feedback.votes import BETTER, FLAT, GOOD, LEAKING, vote

PROMPT = "제습기", ["보송한", "조용한"]


def said(*rows: dict[str, Any]) -> Preferred:
    return preferred(count_votes(rows, LIMITS).votes)


def lines(pairs: list[Pair]) -> list[tuple[str, str, str]]:
    return [(pair["chosen"][0]["content"], pair["rejected"][0]["content"], pair["reason"]) for pair in pairs]


def test_an_exact_pair() -> None:
    chosen, rejected = (row_id(*PROMPT, line) for line in (GOOD, FLAT))
    found = said(vote("like", GOOD), vote("dislike", FLAT))
    assert found.pairs == [
        {
            "id": row_id(*PROMPT, f"{chosen} {rejected}"),
            "product": "제습기",
            "values": ["보송한", "조용한"],
            "prompt": [{"role": "user", "content": "상품: 제습기\n가치: 보송한, 조용한"}],
            "chosen": [{"role": "assistant", "content": GOOD}],
            "rejected": [{"role": "assistant", "content": FLAT}],
            "chosen_id": chosen,
            "rejected_id": rejected,
            "reason": "disliked",
            "margin": None,
        }
    ]
    assert set(found.pairs[0]) == set(PREFERENCES)


def test_an_edit_is_better_than_its_line_even_one_that_is_liked() -> None:
    assert lines(said(vote("like", GOOD), vote("edit", GOOD, BETTER)).pairs) == [(BETTER, GOOD, "edited")]


def test_a_line_that_was_only_shown_says_nothing() -> None:
    assert said(vote("like", GOOD, others=[FLAT, BETTER])).pairs == []
    assert said(vote("dislike", FLAT, others=[GOOD])).pairs == []


@pytest.mark.parametrize("times", [1, 1000])
def test_a_line_that_some_like_and_others_dislike_says_nothing(times: int) -> None:
    found = said(*[vote("like", GOOD)] * times, vote("dislike", GOOD), vote("dislike", FLAT), vote("like", BETTER))
    assert lines(found.pairs) == [(BETTER, FLAT, "disliked")]
    assert found.contested == 1


def test_edits_that_go_back_and_forth_say_nothing() -> None:
    assert said(vote("edit", GOOD, BETTER), vote("edit", BETTER, GOOD)).pairs == []
    assert said(vote("edit", GOOD, BETTER), vote("edit", BETTER, GOOD, adapter="local/x")).pairs == []


def test_an_edit_that_others_dislike_says_nothing() -> None:
    assert said(vote("edit", GOOD, BETTER), vote("dislike", BETTER)).pairs == []


@pytest.mark.parametrize(
    "other", [{"product": "향초"}, {"values": ["보송한"]}, {"adapter": "local/x"}, {"revision": "1" * 40}]
)
def test_lines_for_another_prompt_or_by_another_adapter_are_not_compared(other: dict[str, Any]) -> None:
    assert said(vote("like", GOOD), vote("dislike", FLAT, **other)).pairs == []
    assert len(said(vote("like", GOOD), vote("dislike", FLAT, values=["조용한", "보송한"])).pairs) == 1


def test_a_prompt_gives_a_few_pairs_and_edits_first() -> None:
    words = [
        f"{one} {other} 주말"
        for one, other in product(("젖지 않는", "마른", "느긋한", "맑은"), ("바다", "골목", "책장"))
    ]
    rows = [vote("like", line) for line in words[:6]] + [vote("dislike", line) for line in words[6:]]
    found = said(*rows, vote("edit", FLAT, BETTER)).pairs
    assert len(found) == MOST_PER_PROMPT
    assert lines(found)[0] == (BETTER, FLAT, "edited")
    assert found == said(*reversed(rows), vote("edit", FLAT, BETTER)).pairs


def test_thousands_of_lines_for_one_prompt_take_no_time_and_give_a_few_pairs() -> None:
    counted = count_votes([vote("like", GOOD)], LIMITS).votes[0]

    votes = [replace(counted, kind=kind, line=f"{kind} {n}") for kind in ("like", "dislike") for n in range(5000)]
    assert len(preferred(votes).pairs) == MOST_PER_PROMPT


def test_what_stood_beside_each_other_is_known() -> None:
    beside = said(vote("like", GOOD, others=[FLAT]), vote("dislike", FLAT), vote("dislike", LEAKING))
    assert len(beside.pairs) == 2
    ((seen, day),) = beside.beside.items()
    assert day == "2026-11-28"
    assert lines([pair for pair in beside.pairs if pair["id"] == seen]) == [(GOOD, FLAT, "disliked")]
    assert said(vote("edit", FLAT, GOOD, others=[GOOD])).beside == {}


def test_the_tally_is_of_votes_that_count() -> None:
    rows = [vote("like", GOOD)] * 3 + [vote("dislike", FLAT), vote("edit", FLAT, BETTER), vote("like", LEAKING)]
    votes = count_votes(rows, LIMITS).votes
    assert preferred(votes).tally(votes) == Tally(likes=1, dislikes=1, edits=1, pairs=2)


def test_a_release_measures_pairs_by_its_own_limits_and_its_test_split() -> None:
    assert (split_of("우산"), split_of("제습기")) == ("test", "train")
    pairs = said(vote("like", GOOD), vote("dislike", FLAT), vote("edit", FLAT, BETTER)).pairs
    assert check_pairs(pairs, [], LIMITS) == (pairs, {})
    tested = dict(make_row("우산", ["든든한"], GOOD + "!", source="written"))
    good, rejected = check_pairs(pairs, [tested], LIMITS)
    assert lines(good) == [(BETTER, FLAT, "edited")] and rejected == {"contaminated": 1}
    assert check_pairs(pairs, [tested | {"product": "제습기"}], LIMITS) == (pairs, {})
    assert check_pairs(pairs, [], limits(slogans=Lines([BETTER])))[1] == {"slogan": 1}
    leaking = said(vote("like", GOOD), vote("dislike", LEAKING)).pairs
    assert check_pairs(leaking, [], LIMITS) == (leaking, {})
