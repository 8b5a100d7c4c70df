"""A set of lines that others are compared with: real slogans, somebody's evaluation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pydantic_core import core_schema

from pipelines.text.ngrams import grams, letters

#: A slogan of fewer letters may be quoted: "흔들어 주세요" is an everyday phrase.
QUOTABLE = 8
#: Of fewer words, all but one is not much.
LEAST_WORDS = 3


class Lines:
    """Lines, indexed by their 3-grams when the first line is looked up.

    Compared by identity of content: two sets of the same lines are equal.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = tuple(dict.fromkeys(lines))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lines) and self.lines == other.lines

    def __hash__(self) -> int:
        return hash(self.lines)

    def __getstate__(self) -> dict[str, Any]:
        return {"lines": self.lines}  # the index is made again where it is needed

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """A list of lines in what distilabel writes down of a step, and made of one again."""
        listed = core_schema.no_info_after_validator_function(cls, core_schema.list_schema(core_schema.str_schema()))
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), listed],
            serialization=core_schema.plain_serializer_function_ser_schema(lambda lines: list(lines.lines)),
        )

    def like(self, line: str, least: float) -> str | None:
        """`0.82 like 여행은 살아보는 거야` where one of the lines is so similar or more, else None."""
        similarity, which = self.closest(line)
        return f"{similarity:.2f} like {which}" if which and similarity >= least else None

    def closest(self, line: str) -> tuple[float, str]:
        """(similarity, which line) of the most similar one, 0.0 and empty where none is.

        The similarity is the Jaccard index of the grams; 1.0 where the line quotes one of 8 letters or more whole; the
        share of equal words where all but one of three or more are.
        """
        if not self.lines:
            return 0.0, ""
        text = letters(line)
        found = grams(text)
        shared = Counter([place for gram in found if gram in self._places for place in self._places[gram]])
        best, which = 0.0, ""
        for place, count in shared.items():
            size = self._sizes[place]
            score = count / (len(found) + size - count)
            if count == size and self._texts[place] in text and len(self._texts[place]) >= QUOTABLE:
                score = 1.0
            if (score, self.lines[place]) > (best, which):
                best, which = score, self.lines[place]
        words = _words(line)
        if sum(word not in self._vocabulary for word in words) > 1:
            return best, which  # two words are not of any line: it is none with one word exchanged
        for size, rest in _without_each(words):
            place = self._exchanged.get((size, rest), -1)
            if place >= 0 and ((size - 1) / size, self.lines[place]) > (best, which):
                best, which = (size - 1) / size, self.lines[place]
        return best, which

    @cached_property
    def _exchanged(self) -> dict[tuple[int, str], int]:
        return {key: place for place, line in enumerate(self.lines) for key in _without_each(_words(line))}

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(word for line in self.lines for word in _words(line))

    @cached_property
    def _texts(self) -> list[str]:
        return [letters(line) for line in self.lines]

    @cached_property
    def _sizes(self) -> list[int]:
        return [len(grams(text)) for text in self._texts]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(self._texts):
            for gram in grams(text):
                places[gram].append(place)
        return dict(places)


def _words(line: str) -> list[str]:
    """The letters of each word of a line."""
    return [found for word in line.split() if (found := letters(word))]


def _without_each(words: Sequence[str]) -> list[tuple[int, str]]:
    """(number of words, the other words) for each of three words or more, its place marked by a dot."""
    if len(words) < LEAST_WORDS:
        return []
    return [(len(words), " ".join([*words[:place], ".", *words[place + 1 :]])) for place in range(len(words))]
