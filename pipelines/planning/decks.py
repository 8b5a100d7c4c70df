"""Sets of values of different kinds, drawn one by one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

from pipelines.planning.taxonomy import KINDS


@dataclass
class Deck:
    """The value sets of some kinds, drawn in random order without making them all: there may be thousands.

    Attributes:
        words: the values of each kind.
        left: how many sets are left.
        moved: index of the set that lies at a place, where it is not the place itself (a sparse Fisher-Yates shuffle).
    """

    kinds: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    left: int
    moved: dict[int, int] = field(default_factory=dict)

    def draw(self, draw: random.Random) -> list[str]:
        """Take a set that was not taken before; there must be one left."""
        place = draw.randrange(self.left)
        self.left -= 1
        last = self.moved.pop(self.left, self.left)
        index = last
        if place < self.left:
            index = self.moved.get(place, place)
            self.moved[place] = last
        values = []
        for words in self.words:
            index, place = divmod(index, len(words))
            values.append(words[place])
        return values


def decks_of(values: Mapping[str, tuple[str, ...]], values_max: int) -> list[Deck]:
    """One for each set of 1..values_max kinds that has values."""
    return [
        Deck(kinds, words, prod(map(len, words)))
        for size in range(1, values_max + 1)
        for kinds in combinations([kind for kind in KINDS if values.get(kind)], size)
        for words in [tuple(values[kind] for kind in kinds)]
    ]
