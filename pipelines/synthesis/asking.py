"""Asks on while answers still come in: pairs whose lines will not be kept are asked again before the rest is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.filters.filter_rows import judge_and_select
from pipelines.filters.limits import Limits
from pipelines.rows import row_id
from pipelines.text.tidy import tidy_row

#: Turns before the end at which acceptance is first looked at, and what part of the turns left at one look is left at
#: the next. What falls before the first look is asked again in good time all the same; a look takes half a second for
#: 5,000 lines.
TAIL, PART = 256, 4

Lines = Sequence[dict[str, Any]]


def accepted(people: Lines, lines: Lines, limits: Limits) -> list[dict[str, Any]]:
    """The synthesised rows that the selection keeps of rows that `passed` the rules.

    Args:
        people: tidied rows that people wrote and that no rule rejects; synthesised rows must not resemble them.
        limits: without scores, or `lines` have them.
    """
    kept, _ = judge_and_select([*people, *lines], limits)
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
    rows = Counter(row_id(row["product"], row["values"], "") for row in kept)
    return {pair for pair, count in rows.items() if count >= keep_per_pair}


class Asking:
    """The pairs to ask, in turn; more are added by what becomes of the first ones.

    Which pairs are added depends on the lines alone and not on when they came: the first turns are looked at after
    fixed numbers of them, when each of these is answered. So a run from kept answers asks what the run before asked.

    Attributes:
        turns: pairs with `attempt`; a pair's place is its turn.
    """

    def __init__(
        self, turns: Sequence[Mapping[str, Any]], more: Callable[[Lines, set[str]], list[dict[str, Any]]] | None = None
    ) -> None:
        """
        Args:
            more: gives the pairs to add from the rows of the turns looked at and the ids of the pairs whose turns are
                not looked at yet; None adds none.
        """
        self.turns = list(turns)
        self._more = more
        self._lines: dict[int, Lines] = {}
        self._answered = 0  # turns, from the first on, that are answered without a gap
        self._next_look = max(len(self.turns) - TAIL, -(-len(self.turns) // 2))
        self._closed = more is None or not self.turns

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, Any]] | None]:
        """Each turn and its pair once; None while nothing can be asked before more answers have been added."""
        turn = 0
        while True:
            if turn < len(self.turns):
                yield turn, self.turns[turn]
                turn += 1
            elif self._closed:  # set after the last turns were added
                return
            else:
                yield None

    def add(self, turn: int, lines: Lines, *, last: bool = False) -> None:
        """Take an answer in.

        Args:
            lines: rows of the turn, as `more` takes them.
            last: add no more turns: a limit is reached, or the endpoint is gone.
        """
        if last:
            self._closed = True
        if self._closed:
            return
        self._lines[turn] = lines
        while self._answered in self._lines:
            self._answered += 1
        while not self._closed and self._answered >= self._next_look:
            self._look()

    def _look(self) -> None:
        assert self._more
        known = self._next_look
        lines = [line for turn in range(known) for line in self._lines[turn]]
        self.turns += self._more(lines, {pair["id"] for pair in self.turns[known:]})
        left = len(self.turns) - known
        self._next_look = len(self.turns) - left // PART
        self._closed = not left
