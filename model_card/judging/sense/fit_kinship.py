"""Reads a corpus for `kinship`: its words, their latent space, its lines' letters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csc_matrix
from sklearn.decomposition import TruncatedSVD

from model_card.judging.sense.bags import Bags, Vocabulary, letter_runs
from model_card.judging.sense.kinship import Kinship, content_of
from model_card.statistics import Array
from pipelines.rows import Scorable

DIMENSIONS = 200


def fit_kinship(corpus: Sequence[Scorable]) -> Kinship:
    """The kinship of rows that people wrote."""
    parts = [content_of(row) for row in corpus]
    by_product: dict[str, list[str]] = {}
    for row, (product, values, line) in zip(corpus, parts, strict=True):
        by_product.setdefault(row["product"], []).extend(product + values + line)
    documents = [*(product + values + line for product, values, line in parts), *by_product.values()]
    words = Vocabulary.of(documents, sublinear=True)
    runs = [[*letter_runs(row["ad_copy"])] for row in corpus]
    products = {row["product"]: product for row, (product, _, _) in zip(corpus, parts, strict=True)}
    values_of = {tuple(row["values"]): values for row, (_, values, _) in zip(corpus, parts, strict=True)}
    product_at = {name: place for place, name in enumerate(products)}
    values_at = {names: place for place, names in enumerate(values_of)}
    return Kinship(
        names=tuple(products),
        product_of=_places(product_at[row["product"]] for row in corpus),
        value_of=_places(values_at[tuple(row["values"])] for row in corpus),
        products=Bags.of(words, list(products.values())),
        values=Bags.of(words, list(values_of.values())),
        lines=Bags.of(words, [line for _, _, line in parts]),
        letters=Bags.of(Vocabulary.of(runs, sublinear=False), runs),
        space=_space(Bags.of(words, documents)),
    )


def _space(documents: Bags) -> Array:
    """[terms, dimensions]."""
    shape = documents.size, len(documents.vocabulary.terms)
    weights = csc_matrix((documents.weights, documents.texts, documents.starts), shape=shape).tocsr()
    found: Array = TruncatedSVD(min(DIMENSIONS, shape[1] - 1), random_state=0).fit(weights).components_.T
    return found


def _places(numbers: Iterable[int]) -> Array:
    return np.fromiter(numbers, dtype=np.int64)
