"""How far a line is worded like those that a rule is to find, as learnt from labelled lines.

A pattern finds the wordings that somebody thought of. This finds what new ones share with lines that people have
labelled: a logistic regression on the letters of a line and, where it matters, of its product. A rule that uses it
keeps its lines in a file `lines.jsonl`; who finds lines that are judged wrongly adds them there, with others like them:
one line alone moves little. `filter_rows.VERSION` goes up then.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.corpus import load_corpus

#: Lengths of the runs of letters that are looked at, in a line and in category and product.
IN_LINE, IN_GOODS = (2, 3, 4), (2, 3)
#: What a corpus line counts beside the labelled ones, where it stands for what most rows look like.
ORDINARY_WEIGHT = 0.3
#: Inverse strength of the regularisation.
C = 0.3


class Labelled(NamedTuple):
    """A line, whether a rule is to find it, and category and product in one string where these matter."""

    line: str
    wanted: bool
    goods: str = ""


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
        """The word that speaks most for finding a line; empty where it has none."""
        return max(line.split(), key=lambda word: self._sum(_runs(word, IN_LINE)), default="")

    def _sum(self, pieces: Iterable[str]) -> float:
        known = self.weights
        return sum([known[piece] for piece in pieces if piece in known])


def write_wording(wording: Wording, path: Path) -> None:
    """Keep a fitted model, to the last digit, for a place without the lines that it was fitted on."""
    content = json.dumps({"intercept": wording.intercept, "weights": dict(wording.weights)}, ensure_ascii=False)
    path.write_bytes(gzip.compress(content.encode(), mtime=0))


def read_wording(path: Path) -> Wording:
    """A model that `write_wording` kept."""
    return Wording(**json.loads(gzip.decompress(path.read_bytes())))


def fit_wording(labelled: Sequence[Labelled], ordinary: Sequence[Labelled]) -> Wording:
    """The model of labelled lines, and of ordinary ones that count less; fitted in some seconds."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    lines = [*labelled, *ordinary]
    weights = [1.0] * len(labelled) + [ORDINARY_WEIGHT] * len(ordinary)
    vectorizer = CountVectorizer(
        analyzer=lambda one: {*_runs(one.line, IN_LINE), *_of_goods(one.goods)}, min_df=2, binary=True
    )
    features = vectorizer.fit_transform(lines)
    # To the last digits: the same line must be judged the same on every machine.
    model = LogisticRegression(C=C, tol=1e-6, max_iter=5000)
    model.fit(features, [one.wanted for one in lines], sample_weight=weights)
    runs = vectorizer.get_feature_names_out()
    return Wording(float(model.intercept_[0]), dict(zip(runs, model.coef_[0].tolist(), strict=True)))


@cache
def ordinary_rows(merits: frozenset[str], number: int) -> tuple[dict[str, Any], ...]:
    """So many rows of the corpus of some merits: by a hash of each, so that an edit of the corpus changes few."""
    rows = [row for row in load_corpus() if row["merit"] in merits]
    return tuple(sorted(rows, key=lambda row: hashlib.sha256(row["ad_copy"].encode()).digest())[:number])


@lru_cache(maxsize=1 << 14)  # a product has many rows
def _of_goods(goods: str) -> frozenset[str]:
    return frozenset(f"\t{run}" for run in _runs(goods, IN_GOODS)) if goods else frozenset()


def _runs(text: str, lengths: tuple[int, ...]) -> list[str]:
    padded = f" {text} "
    return [padded[at : at + length] for length in lengths for at in range(len(padded) - length + 1)]
