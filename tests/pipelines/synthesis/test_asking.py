from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.synthesis.asking import Asking, served
from pipelines.synthesis.rounds import Rounds

WANTED, ATTEMPTS = 12, 3


class Oracle:
    """A teacher whose lines are kept or not by pair and attempt alone, and the sizes of what was looked at."""

    def __init__(self, verdicts: dict[tuple[str, int], bool], wanted: int = WANTED) -> None:
        self.verdicts, self.looks = verdicts, []
        self.rounds = Rounds([{"id": f"pair {number}"} for number in range(20)], wanted, ATTEMPTS, 1)

    def more(self, lines, pending):
        self.looks.append((len(lines), len(pending)))
        kept = {line["id"] for line in lines if line["kept"]}
        return self.rounds.next(len(kept) + len(pending), kept, pending)

    def asking(self) -> Asking:
        return Asking(self.rounds.next(0, set()), self.more)

    def line(self, pair) -> dict:
        return {"id": pair["id"], "kept": self.verdicts.get((pair["id"], pair["attempt"]), False)}


def ask_all(oracle: Oracle, order: random.Random, in_flight: int) -> list[tuple[str, int]]:
    """(pair, attempt) of every turn, answered in a random order while so many are in flight."""
    asking = oracle.asking()
    turns, flying = iter(asking), []
    ended = False
    while not ended or flying:
        while not ended and len(flying) < in_flight:
            try:
                asked = next(turns)
            except StopIteration:
                ended = True
                break
            if asked is None:
                assert flying, "nothing is in flight, and nothing may be asked"
                break
            flying.append(asked)
        if flying:
            turn, pair = flying.pop(order.randrange(len(flying)))
            asking.add(turn, [oracle.line(pair)])
    return [(pair["id"], pair["attempt"]) for pair in asking.turns]


VERDICTS = st.dictionaries(
    st.tuples(st.integers(0, 19).map(lambda number: f"pair {number}"), st.integers(0, ATTEMPTS - 1)), st.booleans()
)


@given(VERDICTS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 30), st.integers(1, 30))
def test_what_is_asked_does_not_depend_on_when_answers_come(verdicts, one, other, few, many):
    asked = ask_all(Oracle(verdicts), random.Random(one), few)
    assert asked == ask_all(Oracle(verdicts), random.Random(other), many)
    times = Counter(pair for pair, _ in asked)
    assert all(sorted(n for pair, n in asked if pair == one) == list(range(times[one])) for one in times)
    kept = {pair for pair, attempt in asked if verdicts.get((pair, attempt))}
    # Enough, or every pair without a row was asked as often as it may be.
    assert len(kept) >= WANTED or all(times[f"pair {n}"] == ATTEMPTS for n in range(20) if f"pair {n}" not in kept)


def test_nothing_more_is_asked_where_all_is_kept():
    verdicts = {(f"pair {number}", 0): True for number in range(20)}
    assert len(ask_all(Oracle(verdicts), random.Random(0), 4)) == WANTED


def test_pairs_are_asked_again_while_others_are_in_flight():
    oracle = Oracle({(f"pair {number}", attempt): number > 2 for number in range(20) for attempt in range(3)})
    asking = oracle.asking()
    for turn in range(6):
        asking.add(turn, [oracle.line(asking.turns[turn])])
    assert oracle.looks == [(6, 6)]
    assert len(asking.turns) > WANTED


@pytest.mark.parametrize("answered", [3, 11])
def test_after_a_limit_no_turns_are_added(answered):
    oracle = Oracle({})
    asking = oracle.asking()
    for turn in range(answered):
        asking.add(turn, [], last=turn == answered - 1)
    assert len(asking.turns) == WANTED or answered > 6  # a look at half of them may come before the limit
    before = len(asking.turns)
    for turn in range(answered, before):
        asking.add(turn, [])
    assert len(asking.turns) == before
    assert len(list(asking)) == before


def test_a_pair_is_served_by_as_many_rows_as_it_may_keep():
    kept = [{"product": "우산", "values": ["든든한"]}] * 2
    assert len(served(kept, 2)) == 1
    assert served(kept, 3) == set()
