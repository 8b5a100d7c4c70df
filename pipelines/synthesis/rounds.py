"""Exactly N: which pairs to ask for next, and where to cut where the last answers brought too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines.errors import HanjulError

Pair = Mapping[str, Any]
Line = TypeVar("Line")


@dataclass(frozen=True)
class Rounds:
    """Which pairs to ask for next, until so many rows are accepted or every pair was asked as often as it may be.

    The first round supposes that every line is accepted, so nothing is bought that is not needed; each later one is
    sized by the acceptance seen so far. Pairs that were asked least often come first, in the order of the plan.

    Attributes:
        pairs: the plan, in order.
        wanted: accepted rows.
        attempts: how often a pair is asked at most.
        keep_per_pair: accepted rows that a pair can have.

    Raises:
        HanjulError: the plan is too small to hold so many rows.
    """

    pairs: Sequence[Pair]
    wanted: int
    attempts: int
    keep_per_pair: int

    def __post_init__(self) -> None:
        if self.wanted > len(self.pairs) * self.keep_per_pair:
            raise HanjulError(
                f"{self.wanted} rows are wanted, and {len(self.pairs)} pairs can have {self.keep_per_pair} each",
                next_step="plan more pairs (`hanjul pairs --n`) or raise `filter.keep_per_pair`",
            )

    def next(
        self, asked: Iterable[str], accepted: int, served: Collection[str], pending: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """The pairs of the next round, with their `attempt`; none when enough is accepted or nothing is left to ask.

        Args:
            asked: ids of the pairs that were asked before, each as often as it was.
            accepted: rows accepted so far, and those that pending pairs may bring.
            served: ids of the pairs that have as many as they may.
            pending: ids of the pairs whose answers are not known yet; they are not asked again meanwhile.
        """
        missing = self.wanted - accepted
        if missing <= 0:
            return []
        times = Counter(asked)
        # missing / acceptance, rounded; before anything is known a pair gives all that it may keep
        needed = max(1, round(missing * (times.total() + 1) / (accepted + self.keep_per_pair)))
        left_out = {*served, *pending}
        can = [pair for pair in self.pairs if pair["id"] not in left_out and times[pair["id"]] < self.attempts]
        chosen = sorted(can, key=lambda pair: times[pair["id"]])[:needed]
        return [{**pair, "attempt": times[pair["id"]]} for pair in chosen]


def cut(lines: Sequence[Line], accepted: Callable[[Sequence[Line]], int], wanted: int, least: int = 0) -> list[Line]:
    """Lines, in their order, of which exactly the wanted number is accepted.

    Those up to the first place found where enough are, searched by the counts and by halving in turn. One more line
    accepts one more row as a rule. It brings in more where it pushes out a line that kept several out; such a line is
    left out, and the search goes on.

    Args:
        accepted: how many of some lines are accepted; of all of them `wanted` or more.
        least: a number of lines known to give fewer.

    Returns:
        The lines; all but those left out, with fewer accepted, where it cannot be met exactly.
    """
    left = list(lines)
    while True:
        high = _fewest(left, accepted, wanted, least)
        if accepted(left[:high]) == wanted:
            return left[:high]
        del left[high - 1]
        least = high - 1
        if accepted(left) < wanted:
            return left


def _fewest(lines: Sequence[Line], accepted: Callable[[Sequence[Line]], int], wanted: int, least: int) -> int:
    """A number of lines, from the first on, of which enough are accepted while of one fewer not enough are."""
    low, high = least, len(lines)
    below, above = accepted(lines[:low]) if low else 0, accepted(lines)
    by_count = True
    while high - low > 1:
        middle = (low + high) // 2
        if by_count and below < wanted <= above:  # acceptance is about even, so the place is about where counts say
            middle = low - (below - wanted) * (high - low) // (above - below)
        by_count = not by_count
        middle = min(max(middle, low + 1), high - 1)
        count = accepted(lines[:middle])
        if count >= wanted:
            high, above = middle, count
        else:
            low, below = middle, count
    return high
