"""How far a line is worded like those that the law restricts, as learnt from labelled lines.

A pattern finds the wordings that somebody thought of. This finds what new ones share with `lines.jsonl`, restricted and
innocent lines by several readers: a logistic regression on the letters of a line and of its product. Who finds a line
that is judged wrongly adds it to that file.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pipelines.corpus import load_corpus
from pipelines.filters.rules.claims.entries import load_claims
from pipelines.slogans import load_slogans

#: One JSON object each: category, product, line, restricted.
LINES = Path(__file__).parent / "lines.jsonl"
#: Lengths of the runs of letters that are looked at, in a line and in category and product.
IN_LINE, IN_GOODS = (2, 3, 4), (2, 3)
#: Corpus lines that stand beside the labelled ones as innocent, and what each counts: what most rows look like.
ORDINARY, ORDINARY_WEIGHT = 3000, 0.3
#: Inverse strength of the regularisation.
C = 0.3


@dataclass(frozen=True)
class Wording:
    """A fitted model.

    Attributes:
        intercept: log-odds of a line without any known run of letters.
        weights: run of letters -> log-odds that it adds. Those of category and product begin with a tab.
    """

    intercept: float
    weights: Mapping[str, float]

    def log_odds(self, line: str, goods: str) -> float:
        """That a line is restricted, for category and product in one string."""
        return self.intercept + self._sum(frozenset(_runs(line, IN_LINE))) + self._sum(_of_goods(goods))

    def strongest(self, line: str) -> str:
        """The word that speaks most for a restriction."""
        return max(line.split(), key=lambda word: self._sum(_runs(word, IN_LINE)))

    def _sum(self, pieces: Iterable[str]) -> float:
        known = self.weights
        return sum([known[piece] for piece in pieces if piece in known])


@cache
def wording() -> Wording:
    """The model of `lines.jsonl`, the patterns' own examples, real slogans and ordinary lines; fitted in seconds."""
    labelled = [*_labelled(), *_examples(), *((row["product"], row["ad_copy"], False) for row in load_slogans())]
    ordinary = random.Random(0).sample([row for row in load_corpus() if row["merit"] != "flat"], ORDINARY)
    ordinary_lines = [variant for row in ordinary for variant in _with_and_without(row | {"line": row["ad_copy"]})]
    return _fitted([*labelled, *ordinary_lines], [1.0] * len(labelled) + [ORDINARY_WEIGHT] * len(ordinary_lines))


def _fitted(lines: list[tuple[str, str, bool]], counts: list[float]) -> Wording:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    found = CountVectorizer(
        analyzer=lambda line: {*_runs(line[1], IN_LINE), *_of_goods(line[0])}, min_df=2, binary=True
    )
    features = found.fit_transform(lines)
    # To the last digits: the same line must be judged the same on every machine.
    model = LogisticRegression(C=C, tol=1e-6, max_iter=5000)
    model.fit(features, [restricted for _, _, restricted in lines], sample_weight=counts)
    return Wording(
        float(model.intercept_[0]), dict(zip(found.get_feature_names_out(), model.coef_[0].tolist(), strict=True))
    )


def _labelled() -> Iterable[tuple[str, str, bool]]:
    for text in LINES.read_text(encoding="utf-8").splitlines():
        yield from _with_and_without(json.loads(text))


def _with_and_without(row: Mapping[str, Any]) -> Iterable[tuple[str, str, bool]]:
    """A line of its category and product, and of its product alone: many rows that are imported have no category."""
    for goods in (f"{row['category']} {row['product']}", row["product"]):
        yield goods, row["line"], row.get("restricted", False)


def _examples() -> Iterable[tuple[str, str, bool]]:
    for claim in load_claims():
        for examples, restricted in ((claim.examples, True), (claim.fine, False)):
            for example in examples:
                product, line = example.split(" | ")
                yield product, line, restricted


@lru_cache(maxsize=1 << 14)  # a product has many rows
def _of_goods(goods: str) -> frozenset[str]:
    return frozenset(f"\t{run}" for run in _runs(goods, IN_GOODS))


def _runs(text: str, lengths: tuple[int, ...]) -> list[str]:
    padded = f" {text} "
    return [padded[at : at + length] for length in lengths for at in range(len(padded) - length + 1)]
