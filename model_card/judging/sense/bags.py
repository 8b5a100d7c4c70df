"""Texts as bags of terms, in an index from terms to texts: how alike one text is to each of many. NumPy alone.

TF-IDF as scikit-learn's TfidfVectorizer weighs it, with terms that stand in two documents or more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model_card.statistics import Array

Bag = Sequence[str]


@dataclass(frozen=True)
class Vocabulary:
    """Terms and what they weigh.

    Attributes:
        terms: in order.
        idf: how rare each is, [terms].
        sublinear: whether repeats count by their logarithm.
    """

    terms: tuple[str, ...]
    idf: Array
    sublinear: bool

    @classmethod
    def of(cls, documents: Sequence[Bag], *, sublinear: bool) -> Vocabulary:
        """The terms that stand in two documents or more."""
        found = Counter(term for bag in documents for term in set(bag))
        terms = sorted(term for term, number in found.items() if number > 1)
        idf = np.log((1 + len(documents)) / (1 + np.array([found[term] for term in terms]))) + 1
        return cls(tuple(terms), idf, sublinear)

    @cached_property
    def places(self) -> dict[str, int]:
        """Term -> its place among the terms."""
        return {term: place for place, term in enumerate(self.terms)}

    def vector(self, bag: Bag) -> tuple[Array, Array]:
        """Places of the known terms of a text, and their weights: of length 1, or none."""
        counts = Counter([self.places[term] for term in bag if term in self.places])
        places = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        weights = self.frequency(np.fromiter(counts.values(), dtype=float, count=len(counts))) * self.idf[places]
        return places, weights / (np.sqrt((weights**2).sum()) or 1.0)

    def frequency(self, counts: Array) -> Array:
        """What so many occurrences of a term in one text count."""
        return 1 + np.log(counts) if self.sublinear else counts


@dataclass(frozen=True)
class Bags:
    """Texts by their terms.

    Attributes:
        starts: the entries of term i are those from starts[i] to starts[i + 1], [terms + 1].
        texts, counts: in which text a term stands, and how often, [entries].
        size: number of texts.
    """

    vocabulary: Vocabulary
    starts: Array
    texts: Array
    counts: Array
    size: int

    @classmethod
    def of(cls, vocabulary: Vocabulary, bags: Sequence[Bag]) -> Bags:
        """The known terms of texts."""
        known = vocabulary.places
        entries = sorted(
            (known[term], text, count)
            for text, bag in enumerate(bags)
            for term, count in Counter(bag).items()
            if term in known
        )
        table = np.array(entries, dtype=np.int64).reshape(-1, 3)
        starts = np.searchsorted(table[:, 0], np.arange(len(known) + 1))
        return cls(vocabulary, starts, table[:, 1], table[:, 2], len(bags))

    @cached_property
    def totals(self) -> Array:
        """How often each term stands in all texts, [terms]."""
        found: Array = np.bincount(self._terms, self.counts, len(self.vocabulary.terms))
        return found

    @cached_property
    def weights(self) -> Array:
        """Of the entries, so that those of each text have length 1, [entries]."""
        idf = self.vocabulary.idf
        raw = self.vocabulary.frequency(self.counts.astype(idf.dtype)) * idf[self._terms]
        lengths = np.sqrt(np.bincount(self.texts, raw**2, self.size)).astype(raw.dtype)
        found: Array = raw / lengths[self.texts]
        return found

    def texts_with(self, place: int) -> Array:
        """The texts in which the term of a place stands."""
        found: Array = self.texts[self.starts[place] : self.starts[place + 1]]
        return found

    def cosines(self, bag: Bag) -> Array:
        """With each text, [texts]."""
        found = np.zeros(self.size, dtype=self.weights.dtype)
        for place, weight in zip(*self.vocabulary.vector(bag), strict=True):
            part = slice(self.starts[place], self.starts[place + 1])
            found[self.texts[part]] += weight * self.weights[part]
        return found

    def project(self, space: Array) -> Array:
        """Each text in a space of [terms, dimensions], [texts, dimensions]; of length 1, or 0 without a known term."""
        found = [np.bincount(self.texts, self.weights * axis[self._terms], self.size) for axis in space.T]
        return normalised(np.array(found, dtype=space.dtype).T)

    @cached_property
    def _terms(self) -> Array:
        return np.repeat(np.arange(len(self.vocabulary.terms)), np.diff(self.starts))


def normalised(vectors: Array) -> Array:
    """Rows of length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found


def letter_runs(text: str) -> Iterable[str]:
    """Runs of two to four letters of each word in small letters, its ends marked by spaces."""
    for word in text.lower().split():
        padded = f" {word} "
        for length in (2, 3, 4):
            yield from (padded[at : at + length] for at in range(max(1, len(padded) - length + 1)))
            if length >= len(padded):  # a short word is one run
                break
