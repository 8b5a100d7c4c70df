"""How alike two lines are: the Jaccard index of their character 3-grams, blind to spaces, punctuation and case."""

from __future__ import annotations

import re
from functools import lru_cache

SIZE = 3
SEPARATORS = re.compile(r"[\W_]+")


@lru_cache(maxsize=1 << 16)
def letters(line: str) -> str:
    """What of a line counts: letters and digits, in small letters. Lines that share it are the same line."""
    return SEPARATORS.sub("", line).casefold()


def grams(text: str) -> frozenset[str]:
    """The character 3-grams of `letters(line)`; a text that is shorter is its only gram, the empty one has none."""
    if len(text) <= SIZE:
        return frozenset([text] if text else [])
    return frozenset([text[start : start + SIZE] for start in range(len(text) - SIZE + 1)])
