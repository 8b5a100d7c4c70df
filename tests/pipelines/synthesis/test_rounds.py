from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.errors import HanjulError
from pipelines.filters.filter_rows import gate_and_select
from pipelines.rows import make_row
from pipelines.synthesis.rounds import Rounds, cut
from tests.limits import limits


def plan(count: int) -> list[dict[str, str]]:
    return [{"id": f"pair {number}"} for number in range(count)]


#: Rows accepted of each pair at each attempt at it.
ORACLE = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=40)


@settings(deadline=None)
@given(ORACLE, st.integers(1, 120), st.integers(1, 4), st.integers(1, 3))
@example([[0] * 4] * 40, 40, 4, 1)
@example([[1] * 4] * 40, 40, 1, 1)
def test_asks_no_more_than_it_has_to_and_ends(oracle, wanted, attempts, keep):
    pairs = plan(len(oracle))
    wanted = min(wanted, len(pairs) * keep)
    rounds = Rounds(pairs, wanted, attempts, keep)
    taken: Counter[str] = Counter()  # rows accepted of each pair
    asked: list[tuple[str, int]] = []
    while chosen := rounds.next(
        [name for name, _ in asked], taken.total(), {name for name, rows in taken.items() if rows}
    ):
        missing = wanted - taken.total()
        assert missing > 0
        # One row more than was accepted, of one pair more than was asked: the estimate before anything is known is 1.
        assert len(chosen) <= -(-missing * (len(asked) + 1) // (taken.total() + 1))
        assert len({pair["id"] for pair in chosen}) == len(chosen)
        assert not [pair for pair in chosen if pair["attempt"] and taken[pair["id"]]]
        asked += [(pair["id"], pair["attempt"]) for pair in chosen]
        for pair in chosen:
            rows = oracle[int(pair["id"].split()[1])][pair["attempt"]]
            taken[pair["id"]] = min(keep, taken[pair["id"]] + rows)
    assert len(set(asked)) == len(asked)
    assert all(0 <= attempt < attempts for _, attempt in asked)
    times = Counter(name for name, _ in asked)
    assert all(sorted(attempt for name, attempt in asked if name == one) == list(range(times[one])) for one in times)
    if taken.total() < wanted:
        assert all(times[pair["id"]] == attempts or taken[pair["id"]] for pair in pairs)
    assert rounds.next([name for name, _ in asked], taken.total(), {name for name in taken if taken[name]}) == []


def test_nothing_is_bought_that_is_not_needed_where_all_is_accepted():
    rounds = Rounds(plan(50), 20, 3, 1)
    assert [pair["id"] for pair in rounds.next((), 0, ())] == [f"pair {number}" for number in range(20)]
    assert rounds.next((f"pair {number}" for number in range(20)), 20, {f"pair {number}" for number in range(20)}) == []


def test_each_pair_may_hold_several_rows():
    rounds = Rounds(plan(50), 20, 3, 2)
    assert len(rounds.next((), 0, ())) == 10


def test_later_rounds_are_sized_by_what_was_accepted():
    pairs = plan(1000)
    rounds = Rounds(pairs, 100, 2, 1)
    first = [pair["id"] for pair in rounds.next((), 0, ())]
    second = rounds.next(first, 50, first[:50])
    assert len(second) == round(50 * 101 / 51)
    assert second == [{**pair, "attempt": 0} for pair in pairs[100:199]]


@pytest.mark.parametrize("asked", [48, 97, 106])
def test_where_nothing_was_accepted_the_next_round_has_one_pair_more_for_each_row(asked):
    pairs = plan(500)
    assert len(Rounds(pairs, 1, 1, 1).next([pair["id"] for pair in pairs[:asked]], 0, ())) == asked + 1


def test_one_row_that_is_missing_asks_one_pair():
    pairs = plan(500)
    asked = [pair["id"] for pair in pairs[:100]]
    assert len(Rounds(pairs, 100, 1, 1).next(asked, 99, asked[1:])) == 1


def test_only_pairs_without_a_row_are_asked_again():
    pairs = plan(4)
    rounds = Rounds(pairs, 4, 3, 1)
    asked = [pair["id"] for pair in pairs]
    assert rounds.next((), 0, ()) == [{**pair, "attempt": 0} for pair in pairs]
    assert rounds.next(asked, 2, {"pair 0", "pair 2"}) == [{**pairs[number], "attempt": 1} for number in (1, 3)]
    asked += ["pair 1", "pair 3"]
    assert rounds.next(asked, 3, {"pair 0", "pair 2", "pair 1"}) == [{**pairs[3], "attempt": 2}]
    assert rounds.next([*asked, "pair 3"], 3, {"pair 0", "pair 2", "pair 1"}) == []


def test_a_plan_that_is_too_small_is_an_error():
    Rounds(plan(5), 10, 1, 2)
    with pytest.raises(HanjulError, match=r"11 rows are wanted, and 5 pairs can have 2 each → plan more pairs"):
        Rounds(plan(5), 11, 1, 2)


LIMITS = [
    limits(min_sense=0.3, keep_per_pair=keep, gated=gated, max_phrase_count=most, max_similarity=0.3)
    for keep in (1, 2)
    for gated in (True, False)
    for most in (1, 10)
]
SCORES = st.sampled_from([0.2, 0.5, 0.7, 0.9])


@st.composite
def lines(draw: st.DrawFn, source: str) -> dict:
    """A row of one of few pairs with one of few lines, many of them alike, so that there is much to push out."""
    hours = draw(st.lists(st.integers(0, 4), min_size=2, max_size=2))
    line = f"{hours[0]}시의 햇살과 {hours[1]}시의 그늘"
    row = make_row(draw(st.sampled_from("가나다")), ["여유"], line, source=source)
    return {**row, "scores": {"sense": draw(SCORES)}}


@settings(deadline=None)
@given(
    st.lists(lines("synthesised"), min_size=1, max_size=40),
    st.lists(st.sampled_from(["written", "imported"]).flatmap(lines), max_size=4),
    st.sampled_from(LIMITS),
    st.data(),
)
def test_cut_finds_exactly_the_rows_wanted(rows, people, bounds, data):
    def accepted(chosen) -> int:
        kept, _ = gate_and_select([*people, *chosen], bounds)
        return sum(row["source"] == "synthesised" for row in kept)

    counts = [accepted(rows[:count]) for count in range(len(rows) + 1)]
    for wanted in range(1, counts[-1] + 1):
        least = data.draw(st.sampled_from([count for count in range(len(rows)) if max(counts[: count + 1]) < wanted]))
        chosen = cut(rows, accepted, wanted, least)
        assert accepted(chosen) == wanted or (accepted(chosen) < wanted and len(chosen) < len(rows))
        assert chosen[:least] == rows[:least]
        left = iter(rows)
        assert all(any(row is other for other in left) for row in chosen)  # in their order


def test_a_line_that_lets_in_several_is_left_out():
    # c pushes out b, which kept d and e out: with c there are three rows, without it one.
    brings = {"b": 1, "bd": 1, "bde": 1, "bdec": 3, "bdef": 2, "bdecf": 4}
    assert cut(list("bdecf"), lambda lines: brings.get("".join(lines), 0), 2, least=1) == list("bdef")
    assert cut(list("bdec"), lambda lines: brings.get("".join(lines), 0), 2, least=1) == list("bde")


def test_cut_looks_at_few_places():
    asked: list[int] = []

    def accepted(lines) -> int:
        asked.append(len(lines))
        return len(lines) // 3

    lines = list(range(100_000))
    assert cut(lines, accepted, 20_000) == lines[:60_000]
    assert len(asked) <= 18
    assert cut(lines[:3], accepted, 1, least=2) == lines[:3]
