"""How rare the letters of a line are among the lines of a corpus: clichés are made of what all others say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


class Rarity:
    """How rare pairs of letters are among the lines of a corpus."""

    def __init__(self, corpus: Sequence[str]) -> None:
        self._lines = len(corpus)
        self._holding = Counter(pair for line in corpus for pair in set(_letter_pairs(line)))

    def of(self, line: str, known: Sequence[str]) -> float:
        """Mean over the line's letter pairs of log (lines + 1) / (lines with the pair + 1), nats.

        Pairs do not cross words, so that no order of the words is rarer than another.

        Args:
            known: product and values, whose pairs are nothing new.
        """
        pairs, expected = _letter_pairs(line), set(_letter_pairs(" ".join(known)))
        rare = [math.log((self._lines + 1) / (self._holding[pair] + 1)) for pair in pairs if pair not in expected]
        return sum(rare) / len(pairs) if pairs else 0.0


def _letter_pairs(text: str) -> list[str]:
    return [word[place : place + 2] for word in text.split() for place in range(len(word) - 1)]
