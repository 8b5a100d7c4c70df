"""Exactly N: how many pairs to ask for in the next round, and where to cut what the last one brought too many of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

Pair = Mapping[str, Any]
Line = TypeVar("Line")


class Rounds:
    """Which pairs to ask for next, until so many rows are accepted or every pair was asked as often as it may be.

    The first round supposes that every line is accepted, so nothing is bought that is not needed; each later one is
    sized by the acceptance seen so far. Once all pairs have been asked, those that lack accepted rows are asked again.

    Attributes:
        pairs: the plan, in order.
        wanted: accepted rows.
        attempts: how often a pair is asked at most.
        keep_per_pair: accepted rows that a pair can have.
    """

    def __init__(self, pairs: Sequence[Pair], wanted: int, attempts: int, keep_per_pair: int) -> None:
        """
        Raises:
            ValueError: the plan is too small to hold so many rows.
        """
        if wanted > len(pairs) * keep_per_pair:
            raise ValueError(
                f"{wanted} rows are wanted, and {len(pairs)} pairs can have {keep_per_pair} each; plan more pairs "
                "(`hanjul pairs --n`) or raise `filter.keep_per_pair`"
            )
        self.pairs, self.wanted, self.attempts, self.keep_per_pair = pairs, wanted, attempts, keep_per_pair
        self._attempt = 0
        self._waiting = list(pairs)
        self._asked = 0

    def next(self, accepted: int, served: Collection[str]) -> list[dict[str, Any]]:
        """The pairs of the next round, with their `attempt`; none when enough is accepted or nothing is left to ask.

        Args:
            accepted: rows accepted so far.
            served: ids of the pairs that have as many as they may.
        """
        missing = self.wanted - accepted
        if missing <= 0:
            return []
        while not self._waiting:
            self._attempt += 1
            if self._attempt >= self.attempts:
                return []
            self._waiting = [pair for pair in self.pairs if pair["id"] not in served]
            if not self._waiting:
                return []
        # missing / acceptance, rounded up, in whole numbers; before anything is known a pair gives all that it may keep
        needed = -(-missing * (self._asked + 1) // (accepted + self.keep_per_pair))
        size = min(len(self._waiting), needed)
        chosen, self._waiting = self._waiting[:size], self._waiting[size:]
        self._asked += size
        return [{**pair, "attempt": self._attempt} for pair in chosen]


def cut(lines: Sequence[Line], accepted: Callable[[Sequence[Line]], int], wanted: int, least: int = 0) -> list[Line]:
    """Lines, in their order, of which exactly the wanted number is accepted.

    Those up to the first place that halving finds where enough are. One more line accepts one more row as a rule. It
    brings in more where it pushes out a line that kept several out; such a line is left out, and the search goes on.

    Args:
        accepted: how many of some lines are accepted; of all of them `wanted` or more.
        least: a number of lines known to give fewer.

    Returns:
        The lines; all but those left out, with fewer accepted, where it cannot be met exactly.
    """
    left = list(lines)
    while True:
        low, high = least, len(left)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if accepted(left[:middle]) >= wanted else (middle, high)
        if accepted(left[:high]) == wanted:
            return left[:high]
        del left[high - 1]
        least = high - 1
        if accepted(left) < wanted:
            return left
