"""How usual a line is: its words beside those of the pair and beside each other, and its letters after one another.

Counted over the same corpus as `kinship`, whose index holds all that is needed. Nonsense by a model is made of usual
words that nobody has put together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from model_card.judging.sense.bags import Bags
from model_card.judging.sense.kinship import Kinship, content_of
from model_card.statistics import Array
from pipelines.rows import Scorable
from pipelines.text.morphemes import kiwi, tokens

#: What is added to a number of rows in which two words stand together.
UNSEEN = 0.1
#: What a letter pays for each run that does not hold it, in log-probability ("stupid backoff", Brants et al. 2007).
BACKOFF = log(0.4)
LONGEST = 4


@dataclass(frozen=True)
class Usage:
    """Measures lines by the corpus of a kinship."""

    corpus: Kinship

    def features(self, rows: Sequence[Scorable]) -> Array:
        """[rows, 14]: see the functions that give them."""
        return np.array([self._features(row) for row in rows]).reshape(len(rows), -1)

    def _features(self, row: Scorable) -> list[float]:
        product, values, line = content_of(row)
        copy = row["ad_copy"]
        analysis = tokens(copy)
        sure = kiwi().analyze(copy)[0][1]
        return [
            *self._company({*product, *values}, set(line)),
            *self._letters(copy),
            *(sure, sure / max(len(analysis), 1)),
            *(len(copy), len(copy.split()), len(analysis), len(set(line))),
        ]

    def _company(self, pair: set[str], line: set[str]) -> list[float]:
        """Pointwise mutual information of words of the pair and of the line, mean and most; of words of the line among
        each other, mean and least."""
        index = self.corpus.lines
        places = index.vocabulary.places
        rows = [index.texts_with(places[word]) for word in sorted(line) if word in places]
        across = [
            found
            for word in sorted(pair)
            if word in places
            for found in self._information(self._pairs_with(places[word]), rows)
        ]
        within = []
        for place, own in enumerate(rows[:-1]):
            holds = np.zeros(index.size, dtype=bool)
            holds[own] = True
            within += self._information(holds, rows[place + 1 :])
        return [*_two(across, max), *_two(within, min)]

    def _information(self, holds: Array, others: Sequence[Array]) -> list[float]:
        """Of a word that these rows of the corpus have, [corpus], and of each word by the rows that have that."""
        size, number = len(holds), np.count_nonzero(holds) + 1
        return [log((np.count_nonzero(holds[rows]) + UNSEEN) * size / (number * (len(rows) + 1))) for rows in others]

    def _pairs_with(self, place: int) -> Array:
        """Which rows of the corpus have a word in product or values, [corpus]."""
        found = np.zeros(self.corpus.lines.size, dtype=bool)
        for bags, text_of in (
            (self.corpus.products, self.corpus.product_of),
            (self.corpus.values, self.corpus.value_of),
        ):
            holds = np.zeros(bags.size, dtype=bool)
            holds[bags.texts_with(place)] = True
            found |= holds[text_of]
        return found

    def _letters(self, line: str) -> list[float]:
        """Log-probability of each letter after those before it in its word: mean, least, mean of the three least; and
        the share of runs of four letters that the corpus has."""
        found: list[float] = []
        known: list[bool] = []
        for word in line.lower().split():
            padded = f" {word} "
            found += [self._after(padded[max(0, end - LONGEST) : end]) for end in range(2, len(padded) + 1)]
            runs = [padded[at : at + LONGEST] for at in range(len(padded) - LONGEST + 1)]
            known += [run in self._counts for run in runs]
        worst = sorted(found)[:3]
        return [*_two(found, min), float(np.mean(worst or [0.0])), float(np.mean(known)) if known else 0.0]

    def _after(self, run: str) -> float:
        """Of the last letter of a run."""
        paid = 0.0
        while len(run) > 1:
            if run in self._counts:
                before = self._counts.get(run[:-1], 0) if len(run) > 2 else self._first[run[0]]
                return paid + log(self._counts[run] / max(before, self._counts[run]))
            run, paid = run[1:], paid + BACKOFF
        return paid + log((self._first.get(run, 0) + 0.5) / self._total)

    @cached_property
    def _counts(self) -> dict[str, int]:
        letters: Bags = self.corpus.letters
        return dict(zip(letters.vocabulary.terms, letters.totals.astype(int).tolist(), strict=True))

    @cached_property
    def _total(self) -> int:
        return sum(self._first.values())

    @cached_property
    def _first(self) -> dict[str, int]:
        """How often a letter stands before another."""
        found: dict[str, int] = {}
        for run, count in self._counts.items():
            if len(run) == 2:
                found[run[0]] = found.get(run[0], 0) + count
        return found


def _two(values: Sequence[float], extreme: Callable[[Sequence[float]], float]) -> tuple[float, float]:
    """The mean and the most or least of some values, 0 of none."""
    return (float(np.mean(values)), extreme(values)) if values else (0.0, 0.0)
