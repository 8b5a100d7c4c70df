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

    def __init__(self, verdicts: dict[tuple[str, int], bool], wanted: int = WANTED, pairs: int = 20) -> None:
        self.verdicts, self.looks = verdicts, []
        self.rounds = Rounds([{"id": f"pair {number}"} for number in range(pairs)], wanted, ATTEMPTS, 1)

    def more(self, asked, lines, pending):
        self.looks.append((len(lines), len(pending)))
        kept = {line["id"] for line in lines if line["kept"]}
        return self.rounds.next([pair["id"] for pair in asked], len(kept) + len(pending), kept, pending)

    def asking(self) -> Asking[tuple[str, int]]:
        return Asking(self.rounds.next((), 0, ()), self.more)

    def line(self, pair) -> dict:
        return {"id": pair["id"], "kept": self.verdicts.get(key(pair), False)}


def key(pair) -> tuple[str, int]:
    return pair["id"], pair["attempt"]


def ask_all(oracle: Oracle, order: random.Random, in_flight: int, ahead: float) -> Asking[tuple[str, int]]:
    """Every pair answered, in a random order while so many are in flight; a look ahead after that share of answers."""
    asking = oracle.asking()
    to_ask, flying, settled = iter(asking), [], {}
    ended = False
    while not ended or flying:
        while not ended and len(flying) < in_flight:
            try:
                asked = next(to_ask)
            except StopIteration:
                ended = True
                break
            if asked is None:
                assert flying, "nothing is in flight, and nothing may be asked"
                break
            flying.append(asked)
        if flying:
            pair = flying.pop(order.randrange(len(flying)))
            for turn, answer in asking.add(pair, key(pair), [oracle.line(pair)]):
                assert turn not in settled
                settled[turn] = answer
            if order.random() < ahead:
                asking.look_ahead()
    assert settled == dict(enumerate(map(key, asking.turns)))
    assert len(set(map(key, asking.asked))) == len(asking.asked)
    assert set(settled.values()) <= set(map(key, asking.asked))
    return asking


VERDICTS = st.dictionaries(
    st.tuples(st.integers(0, 19).map(lambda number: f"pair {number}"), st.integers(0, ATTEMPTS - 1)), st.booleans()
)


@given(VERDICTS, st.integers(0, 99), st.integers(0, 99), st.integers(1, 30), st.integers(1, 30), st.floats(0, 1))
def test_turns_do_not_depend_on_when_answers_come_nor_on_what_is_asked_ahead(verdicts, one, other, few, many, ahead):
    asked = list(map(key, ask_all(Oracle(verdicts), random.Random(one), few, ahead).turns))
    assert asked == list(map(key, ask_all(Oracle(verdicts), random.Random(other), many, 0).turns))
    times = Counter(pair for pair, _ in asked)
    assert all(sorted(n for pair, n in asked if pair == one) == list(range(times[one])) for one in times)
    kept = {pair for pair, attempt in asked if verdicts.get((pair, attempt))}
    # Enough, or every pair without a row was asked as often as it may be.
    assert len(kept) >= WANTED or all(times[f"pair {n}"] == ATTEMPTS for n in range(20) if f"pair {n}" not in kept)


@pytest.mark.parametrize("spare", [0, 100])
def test_what_is_asked_ahead_is_asked_for_nothing_hardly_ever(spare):
    draw = random.Random(0)
    verdicts = {(f"pair {n}", attempt): draw.random() < 0.95 for n in range(500 + spare) for attempt in range(ATTEMPTS)}
    oracle = Oracle(verdicts, 500, 500 + spare)
    asking = ask_all(oracle, draw, 32, 1.0)
    assert len(asking.turns) > 500
    assert len(asking.asked) - len(asking.turns) <= 2
    assert len([look for look in oracle.looks if look[1]]) < 32


def test_nothing_more_is_asked_where_all_is_kept():
    verdicts = {(f"pair {number}", 0): True for number in range(20)}
    assert len(ask_all(Oracle(verdicts), random.Random(0), 4, 1.0).asked) == WANTED


def test_pairs_are_asked_again_while_others_are_in_flight():
    oracle = Oracle({(f"pair {number}", attempt): number > 2 for number in range(20) for attempt in range(3)})
    asking = oracle.asking()
    taken = [pair for _, pair in zip(range(WANTED), asking, strict=False)]
    for pair in taken[:6]:
        asking.add(pair, key(pair), [oracle.line(pair)])
    assert len(asking.asked) == WANTED
    asking.look_ahead()
    assert oracle.looks == [(6, 6)]
    assert len(asking.turns) == WANTED < len(asking.asked)
    asking.look_ahead()
    assert len(oracle.looks) == 1, "nothing has come since"


@pytest.mark.parametrize("ahead", [False, True])
def test_after_a_limit_no_turns_are_added_and_what_was_asked_ahead_counts(ahead):
    oracle = Oracle({})
    asking = oracle.asking()
    taken = [pair for _, pair in zip(range(WANTED), asking, strict=False)]
    settled = [asking.add(pair, key(pair), []) for pair in taken[:10]]
    if ahead:
        asking.look_ahead()
    settled.append(asking.add(taken[10], key(taken[10]), [], last=True))
    before = len(asking.asked)
    assert (before > WANTED) == ahead
    rest = [taken[11], *asking]
    settled += [asking.add(pair, key(pair), []) for pair in rest]
    assert len(asking.turns) == len(asking.asked) == before
    assert sorted(turn for found in settled for turn, _ in found) == list(range(before))


def test_a_pair_is_served_by_as_many_rows_as_it_may_keep():
    kept = [{"product": "우산", "values": ["든든한"]}] * 2
    assert len(served(kept, 2)) == 1
    assert served(kept, 3) == set()
