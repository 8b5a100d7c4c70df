"""How a line stands to lines that were written for products of its kind: latent semantic analysis of a corpus.

A model of 270M parameters knows little of what a foot mat or a deposit account is for. The corpus does: what is said of
similar products, in which words. Latent semantic analysis (Deerwester et al. 1990) is a truncated singular value
decomposition of the words' TF-IDF weights; products, values and lines become vectors in one space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from model_card.judging.sense.bags import Bag, Bags, letter_runs, normalised
from model_card.statistics import Array
from pipelines.rows import Scorable
from pipelines.text.morphemes import tokens

#: Lines of the corpus for the products nearest to a row's own that are looked at first.
NEAREST = 60
#: Tags (Sejong, by their first letters) of morphemes that mean something by themselves.
CONTENT = ("NN", "VV", "VA", "MAG", "XR", "SL", "MM")
_BATCH = 256
#: Products and values that are kept in mind: lines of one pair come one after another.
KEPT = 32


@dataclass(frozen=True)
class Kinship:
    """Compares lines with those of a corpus, as `fit_kinship` read it.

    The rows of a row's own product are passed over when it is judged: graded lines are for products that the corpus
    does not know, and what is judged is to be measured alike.

    Attributes:
        names: of the products, each once.
        product_of, value_of: places of a row's product and values among the texts of `products` and `values`, [corpus].
        products, values, lines: by their content morphemes.
        letters: lines by their runs of letters.
        space: of the content morphemes, [terms, dimensions].
    """

    names: tuple[str, ...]
    product_of: Array
    value_of: Array
    products: Bags
    values: Bags
    lines: Bags
    letters: Bags
    space: Array

    def features(self, rows: Sequence[Scorable]) -> Array:
        """[rows, 17]: cosines of line and pair, then of the line and the corpus' lines, weighed by how near their pairs
        are."""
        found = [self._features(rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH)]
        return np.concatenate(found)

    def _features(self, rows: Sequence[Scorable]) -> Array:
        parts = [content_of(row) for row in rows]
        products, values, lines = (self._embed([part[i] for part in parts]) for i in range(3))
        pairs = self._embed([product + value for product, value, _ in parts])
        own = np.c_[(lines * products).sum(1), (lines * values).sum(1), (lines * pairs).sum(1)]
        alike = lines @ self._lines.T
        found = []
        for row, part, line in zip(rows, parts, alike, strict=True):
            words, letters = self.lines.cosines(part[2]), self.letters.cosines([*letter_runs(row["ad_copy"])])
            near, values_alike = self._near(row["product"], tuple(part[0])), self._values_alike(tuple(part[1]))
            found.append(_nearness(near, values_alike, line, words, letters))
        features: Array = np.c_[own, np.array(found)]
        return features

    @cached_property
    def _near(self) -> Callable[[str, tuple[str, ...]], _Near]:
        """By a product and its words."""

        def find(product: str, words: tuple[str, ...]) -> _Near:
            [vector] = self._embed([words])
            others = self.product_of != self._places.get(product, -1)
            similar = (self._products @ vector)[self.product_of][others]
            return _Near(others, similar, np.argsort(-similar, kind="stable")[:NEAREST])

        return lru_cache(maxsize=KEPT)(find)

    @cached_property
    def _values_alike(self) -> Callable[[tuple[str, ...]], Array]:
        """Cosines with the values of each row of the corpus, by the values' words."""

        def find(words: tuple[str, ...]) -> Array:
            found: Array = (self._values @ self._embed([words])[0])[self.value_of]
            return found

        return lru_cache(maxsize=KEPT)(find)

    def _embed(self, bags: Sequence[Bag]) -> Array:
        vectors = np.zeros((len(bags), self.space.shape[1]), dtype=self.space.dtype)
        for vector, bag in zip(vectors, bags, strict=True):
            places, weights = self.lines.vocabulary.vector(bag)
            vector[:] = weights @ self.space[places]
        return normalised(vectors)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def _products(self) -> Array:
        return self.products.project(self.space)

    @cached_property
    def _values(self) -> Array:
        return self.values.project(self.space)

    @cached_property
    def _lines(self) -> Array:
        return self.lines.project(self.space)


class _Near(NamedTuple):
    """How near a product is to those of the corpus.

    Attributes:
        others: which rows are for other products, [corpus].
        similar: cosine of the product and theirs, [others].
        first: places of the nearest in `similar`.
    """

    others: Array
    similar: Array
    first: Array


def _nearness(near: _Near, *similarities: Array) -> list[float]:
    """What is said of one row by its product and its similarities to each row of the corpus: by values, line, the
    line's words and its letters, [corpus] each."""
    values, line, words, letters = (similarity[near.others] for similarity in similarities)
    product, value, first = np.clip(near.similar, 0, 1), np.clip(values, 0, 1), near.first
    return [
        *((product * likeness).max() for likeness in (line, words, letters)),
        *(line[first].max(), line[first].mean(), words[first].max(), letters[first].max()),
        *(letters.max(), words.max()),
        *((product * value * likeness).max() for likeness in (line, letters)),
        near.similar[first[:10]].mean(),  # how well the corpus knows the product at all
        *(np.average(line, weights=weight**4 + 1e-9) for weight in (product, value)),
    ]


def content_of(row: Scorable) -> tuple[list[str], list[str], list[str]]:
    """Content morphemes of product, values and line."""
    return _content(row["product"]), _content(", ".join(row["values"])), _content(row["ad_copy"])


def _content(text: str) -> list[str]:
    return [f"{form}/{tag[0]}" for form, tag, _ in tokens(text) if tag.startswith(CONTENT)]
