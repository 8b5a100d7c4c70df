"""How a line stands to lines that were written for products of its kind: latent semantic analysis of a corpus.

A model of 270M parameters knows little of what a foot mat or a deposit account is for. The corpus does: what is said of
similar products, in which words. Latent semantic analysis (Deerwester et al. 1990) is a truncated singular value
decomposition of the words' TF-IDF weights; products, values and lines become vectors in one space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from model_card.statistics import Array
from pipelines.rows import Scorable
from pipelines.text.morphemes import tokens

DIMENSIONS = 200
#: Lines of the corpus for the products nearest to a row's own that are looked at first.
NEAREST = 60
#: Tags (Sejong, by their first letters) of morphemes that mean something by themselves.
CONTENT = ("NN", "VV", "VA", "MAG", "XR", "SL", "MM")
_BATCH = 256


class Kinship:
    """Compares lines with those of a corpus.

    Args:
        corpus: rows that people wrote. Those of a row's own product are passed over when it is judged: graded lines are
            for products that the corpus does not know, and what is judged is to be measured alike.
    """

    def __init__(self, corpus: Sequence[Scorable]) -> None:
        parts = [_parts(row) for row in corpus]
        self._names = np.array([row["product"] for row in corpus])
        by_product: dict[str, list[str]] = {}
        for row, (product, values, line) in zip(corpus, parts, strict=True):
            by_product.setdefault(row["product"], []).extend(product + values + line)
        self._words = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True)
        weights = self._words.fit_transform(
            [*(product + values + line for product, values, line in parts), *by_product.values()]
        )
        size = min(DIMENSIONS, weights.shape[1] - 1)
        self._space = TruncatedSVD(size, random_state=0).fit(weights)
        self._products, self._values, self._lines = (self._embed([part[i] for part in parts]) for i in range(3))
        self._letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
        self._line_letters = self._letters.fit_transform([row["ad_copy"] for row in corpus])
        self._line_words = normalize(self._words.transform([line for _, _, line in parts]))

    def features(self, rows: Sequence[Scorable]) -> Array:
        """[rows, 17]: cosines of line and pair, then of the line and the corpus' lines, weighed by how near their pairs
        are."""
        parts = [_parts(row) for row in rows]
        products, values, lines = (self._embed([part[i] for part in parts]) for i in range(3))
        pairs = self._embed([product + value for product, value, _ in parts])
        own = np.c_[(lines * products).sum(1), (lines * values).sum(1), (lines * pairs).sum(1)]
        words = normalize(self._words.transform([line for _, _, line in parts]))
        letters = self._letters.transform([row["ad_copy"] for row in rows])
        found = []
        for start in range(0, len(rows), _BATCH):
            part = slice(start, start + _BATCH)
            found += [
                _nearness(self._names != row["product"], *near)
                for row, *near in zip(
                    rows[part],
                    products[part] @ self._products.T,
                    values[part] @ self._values.T,
                    lines[part] @ self._lines.T,
                    (words[part] @ self._line_words.T).toarray(),
                    (letters[part] @ self._line_letters.T).toarray(),
                    strict=True,
                )
            ]
        features: Array = np.c_[own, np.array(found).reshape(len(rows), -1)]
        return features

    def _embed(self, texts: Sequence[Sequence[str]]) -> Array:
        vectors: Array = normalize(self._space.transform(self._words.transform(texts)))
        return vectors


def _nearness(others: Any, *similarities: Array) -> list[float]:
    """What is said of one row by its similarities to each row of the corpus: by product, values, line, the line's words
    and its letters, [corpus] each; and which rows are for other products."""
    product, values, line, words, letters = (similarity[others] for similarity in similarities)
    near, value = np.clip(product, 0, 1), np.clip(values, 0, 1)
    first = np.argsort(-product, kind="stable")[:NEAREST]
    return [
        *((near * likeness).max() for likeness in (line, words, letters)),
        *(line[first].max(), line[first].mean(), words[first].max(), letters[first].max()),
        *(letters.max(), words.max()),
        *((near * value * likeness).max() for likeness in (line, letters)),
        np.sort(product)[-10:].mean(),  # how well the corpus knows the product at all
        *(np.average(line, weights=weight**4 + 1e-9) for weight in (near, value)),
    ]


def _parts(row: Scorable) -> tuple[list[str], list[str], list[str]]:
    """Content morphemes of product, values and line."""
    return _content(row["product"]), _content(", ".join(row["values"])), _content(row["ad_copy"])


def _content(text: str) -> list[str]:
    return [f"{form}/{tag[0]}" for form, tag, _ in tokens(text) if tag.startswith(CONTENT)]
