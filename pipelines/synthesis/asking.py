"""Asks on while answers still come in: pairs whose lines will not be kept are asked again before the rest is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pipelines.filters.filter_rows import gate_and_select
from pipelines.filters.limits import Limits
from pipelines.rows import pair_of, row_id
from pipelines.synthesis.rounds import Pair
from pipelines.text.tidy import tidy_row

#: Pairs without an answer, in multiples of those in flight, from which on it is looked ahead; and what part of them is
#: answered between two looks. A look takes a tenth of a second for 5,000 lines.
QUEUE, PART = 8, 4

Lines = Sequence[dict[str, Any]]


def accepted(people: Lines, lines: Lines, limits: Limits) -> list[dict[str, Any]]:
    """The synthesised rows that the selection keeps of rows that `passed` the rules.

    Args:
        people: tidied rows that people wrote and that no rule rejects; synthesised rows must not resemble them.
        limits: without scores, or `lines` have them.
    """
    kept, _ = gate_and_select([*people, *lines], limits)
    return [row for row in kept if row["source"] == "synthesised"]


def passed(lines: Lines) -> list[dict[str, Any]]:
    """The tidied rows, without `reason` and `evidence`, of the raw rows that break no rule."""
    return [
        tidy_row({name: row[name] for name in row if name not in ("reason", "evidence")})
        for row in lines
        if not row["reason"]
    ]


def served(kept: Lines, keep_per_pair: int) -> set[str]:
    """Ids of the pairs that have all the accepted rows that they may have."""
    rows = Counter(pair_of(row) for row in kept)
    return {_pair_id(pair) for pair, count in rows.items() if count >= keep_per_pair}


@lru_cache(maxsize=1 << 16)  # each look asks for those of the look before
def _pair_id(pair: tuple[str, tuple[str, ...]]) -> str:
    product, values = pair
    return row_id(product, values, "")


Answer = TypeVar("Answer")
#: From the pairs asked, in order, the lines that came of them and the ids of those without an answer: the pairs to add.
More = Callable[[Sequence[Pair], Lines, Collection[str]], list[dict[str, Any]]]


class Asking(Generic[Answer]):
    """The pairs to ask, in turn, and those that are added by what becomes of the first ones.

    Turns are added round by round, when all turns so far are answered, so that they depend on the lines alone and not
    on when they came: a run from kept answers asks what the run before asked. The slowest answer may come seconds after
    the rest. So meanwhile pairs are asked ahead, as if all that is pending were going to be kept; nearly all of these
    become turns. One that does not is answered for nothing, and its lines are no one's.

    Attributes:
        turns: pairs with `attempt`; a pair's place is its turn.
        asked: the turns, and what is asked ahead, in the order of asking.
    """

    def __init__(self, turns: Sequence[Pair], more: More | None = None) -> None:
        """
        Args:
            more: gives the pairs to add; None adds none.
        """
        self.turns = list(turns)
        self.asked = list(turns)
        self._more = more
        self._taken = 0  # of `asked`, by whoever asks
        self._lines: dict[_Key, Lines] = {}
        self._waiting: dict[_Key, Answer] = {}  # of pairs that may become turns
        self._open = {_key(pair): turn for turn, pair in enumerate(turns)}  # turns without an answer
        self._seen = 0  # answers at the last look ahead
        self._closed = more is None or not self.turns

    def __iter__(self) -> Iterator[Pair | None]:
        """Each pair once; None while nothing can be asked before more answers have been added."""
        while True:
            if self._taken < len(self.asked):
                self._taken += 1
                yield self.asked[self._taken - 1]
            elif self._closed:  # set after the last turns were added
                return
            else:
                yield None

    def add(self, pair: Pair, answer: Answer, lines: Lines, *, last: bool = False) -> list[tuple[int, Answer]]:
        """Take an answer in.

        Args:
            pair: as it was given.
            lines: its rows, as `more` takes them.
            last: add no more turns: a limit is reached, or the endpoint is gone.

        Returns:
            The answers of which it is known by now that they are a turn's, each once, with the turn.
        """
        self._lines[_key(pair)], self._waiting[_key(pair)] = lines, answer
        settled = self._settle([pair])
        if last and not self._closed:
            self._closed = True
            known = set(map(_key, self.turns))  # what was asked ahead is all that will come: it counts
            settled += self._add_turns([pair for pair in self.asked if _key(pair) not in known])
        while not self._open and not self._closed:
            added = self._ask_more(self.turns)
            self._closed = not added
            settled += self._add_turns(added)
        return settled

    def look_ahead(self) -> None:
        """Ask ahead, if there is little else to ask and enough has been answered since the last time."""
        answered, left = len(self._lines), len(self.asked) - len(self._lines)
        in_flight = self._taken - answered
        few, enough = left <= QUEUE * in_flight, (answered - self._seen) * PART >= left
        if few and enough and not self._closed and answered > self._seen:
            self._seen = answered
            self._ask_more(self.asked)

    def _ask_more(self, asked: Sequence[Pair]) -> list[dict[str, Any]]:
        """What is to be added after some pairs; asked from now on, if it is not yet."""
        assert self._more
        found = [self._lines.get(_key(pair)) for pair in asked]
        pending = {pair["id"] for pair, lines in zip(asked, found, strict=True) if lines is None}
        added = self._more(asked, [line for lines in found for line in lines or ()], pending)
        known = {_key(pair) for pair in self.asked}
        self.asked += [pair for pair in added if _key(pair) not in known]
        return added

    def _add_turns(self, pairs: Sequence[Pair]) -> list[tuple[int, Answer]]:
        self._open |= {_key(pair): turn for turn, pair in enumerate(pairs, len(self.turns))}
        self.turns += pairs
        return self._settle(pairs)

    def _settle(self, pairs: Sequence[Pair]) -> list[tuple[int, Answer]]:
        keys = [key for key in map(_key, pairs) if key in self._open and key in self._waiting]
        return [(self._open.pop(key), self._waiting.pop(key)) for key in keys]


_Key = tuple[str, int]


def _key(pair: Pair) -> _Key:
    return pair["id"], pair.get("attempt", 0)
