"""Chooses among the candidates of one request: good ones that differ from each other, or are near to a line."""

from __future__ import annotations

import re

#: Of the pairs of letters of two lines: from here on they are one line with a word exchanged.
NEAR_DUPLICATE = 0.5
#: What a line loses that is like one taken before, in log-odds of the judge. Three lines chosen out of eight or more
#: are then as unlike each other as three drawn ones (a mean index of 0.042 and 0.038), and as many of them are usable
#: as without it (0.079 on 139 graded pairs; of drawn ones 0.032). From 4 on fewer are.
DIFFERENCE = 3.0
#: What a line gains that is like the wanted one: a shared word then outweighs what lines of one pair differ in (0.8).
NEARNESS = 6.0
APART = re.compile(r"[\W_]+")


class Selection:
    """The candidates that wait, and those that were taken.

    Args:
        like: a line to which the others are to be near, without repeating it; "" where they are to differ.
    """

    def __init__(self, like: str = "") -> None:
        self._like = _pairs(like)
        self._waiting: list[tuple[float, str, frozenset[str]]] = []
        self._taken = [self._like] if like else []

    def add(self, line: str, score: float) -> None:
        """A candidate; the higher its score, the better it is."""
        self._waiting.append((score, line, _pairs(line)))

    def take(self) -> str | None:
        """The best candidate of those that wait and repeat no line that was taken; None where there is none."""
        self._waiting = [one for one in self._waiting if not self._repeats(one[2])]
        if not self._waiting:
            return None
        best = max(self._waiting, key=lambda one: one[0] + self._fits(one[2]))
        self._waiting.remove(best)
        self._taken.append(best[2])
        return best[1]

    def _repeats(self, pairs: frozenset[str]) -> bool:
        return any(similarity(pairs, taken) >= NEAR_DUPLICATE for taken in self._taken)

    def _fits(self, pairs: frozenset[str]) -> float:
        if self._like:
            return NEARNESS * similarity(pairs, self._like)
        return -DIFFERENCE * max((similarity(pairs, taken) for taken in self._taken), default=0.0)


def similarity(left: frozenset[str], right: frozenset[str]) -> float:
    """The Jaccard index of two lines' pairs of letters, 0..1."""
    both = len(left & right)
    return both / (len(left) + len(right) - both) if both else 0.0


def _pairs(line: str) -> frozenset[str]:
    """The pairs of letters of a line, blind to spaces, marks and case; a line of one letter is its only pair."""
    letters = APART.sub("", line).casefold()
    return frozenset({letters[at : at + 2] for at in range(max(1, len(letters) - 1))} - {""})
