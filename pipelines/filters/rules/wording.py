"""How far a line is worded like those that a rule is to find, as learnt from labelled lines.

A pattern finds the wordings that somebody thought of. This finds what new ones share with lines that people have
labelled: a logistic regression on the letters of a line and, where it matters, of its product. A rule that uses it
keeps its lines in a file `lines.jsonl`; who finds a line that is judged wrongly adds it there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from pipelines.corpus import load_corpus

#: Lengths of the runs of letters that are looked at, in a line and in category and product.
IN_LINE, IN_GOODS = (2, 3, 4), (2, 3)
#: What a corpus line counts beside the labelled ones, where it stands for what most rows look like.
ORDINARY_WEIGHT = 0.3
#: Inverse strength of the regularisation.
C = 0.3

#: (category and product in one string or "", line, whether the rule is to find it).
Labelled = tuple[str, str, bool]


@dataclass(frozen=True)
class Wording:
    """A fitted model.

    Attributes:
        intercept: log-odds of a line without any known run of letters.
        weights: run of letters -> log-odds that it adds. Those of category and product begin with a tab.
    """

    intercept: float
    weights: Mapping[str, float]

    def log_odds(self, line: str, goods: str = "") -> float:
        """That the rule is to find a line, for category and product in one string."""
        return self.intercept + self._sum(frozenset(_runs(line, IN_LINE))) + self._sum(_of_goods(goods))

    def strongest(self, line: str) -> str:
        """The word that speaks most for it."""
        return max(line.split(), key=lambda word: self._sum(_runs(word, IN_LINE)))

    def _sum(self, pieces: Iterable[str]) -> float:
        known = self.weights
        return sum([known[piece] for piece in pieces if piece in known])


def fit_wording(labelled: Sequence[Labelled], ordinary: Sequence[Labelled]) -> Wording:
    """The model of labelled lines, and of ordinary ones that count less; fitted in about two seconds."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    lines = [*labelled, *ordinary]
    counts = [1.0] * len(labelled) + [ORDINARY_WEIGHT] * len(ordinary)
    found = CountVectorizer(
        analyzer=lambda line: {*_runs(line[1], IN_LINE), *_of_goods(line[0])}, min_df=2, binary=True
    )
    features = found.fit_transform(lines)
    # To the last digits: the same line must be judged the same on every machine.
    model = LogisticRegression(C=C, tol=1e-6, max_iter=5000)
    model.fit(features, [label for _, _, label in lines], sample_weight=counts)
    return Wording(
        float(model.intercept_[0]), dict(zip(found.get_feature_names_out(), model.coef_[0].tolist(), strict=True))
    )


@cache
def ordinary_rows(merits: frozenset[str], number: int) -> tuple[dict[str, Any], ...]:
    """So many rows of the corpus of some merits: by a hash of each, so that an edit of others changes none of them."""
    rows = [row for row in load_corpus() if row["merit"] in merits]
    return tuple(sorted(rows, key=lambda row: hashlib.sha256(row["ad_copy"].encode()).digest())[:number])


@lru_cache(maxsize=1 << 14)  # a product has many rows
def _of_goods(goods: str) -> frozenset[str]:
    return frozenset(f"\t{run}" for run in _runs(goods, IN_GOODS)) if goods else frozenset()


def _runs(text: str, lengths: tuple[int, ...]) -> list[str]:
    padded = f" {text} "
    return [padded[at : at + length] for length in lengths for at in range(len(padded) - length + 1)]
