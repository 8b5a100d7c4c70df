"""A judge of sense that can be published: kinship and usage alone, in one file, without any language model.

A Space has no room for the model whose hidden states the judge of a release reads beside the one that writes. What is
in the file are words, runs of letters and numbers; no line of the corpus stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model_card.judging.sense.bags import Bags, Vocabulary
from model_card.judging.sense.kinship import Kinship
from model_card.judging.sense.usage import Usage
from model_card.statistics import Array
from pipelines.rows import Scorable

#: Texts in the file stand one after the other, as UTF-8.
BREAK = "\n"
BAGS = ("products", "values", "lines", "letters")


@dataclass(frozen=True)
class PublishedJudge:
    """Log-odds that a line is usable, by a regression on what kinship and usage say of it.

    Attributes:
        slopes: [features].
        facts: how well it tells usable lines from others, on which lines, and what it was made of.
    """

    kinship: Kinship
    slopes: Array
    intercept: float
    facts: Mapping[str, Any]

    def log_odds(self, rows: Sequence[Scorable]) -> list[float]:
        """Of rows, in order; natural."""
        if not rows:
            return []
        found: list[float] = (self.features(rows) @ self.slopes + self.intercept).tolist()
        return found

    def features(self, rows: Sequence[Scorable]) -> Array:
        """What the regression reads, [rows, 31]."""
        found: Array = np.c_[self.kinship.features(rows), self._usage.features(rows)]
        return found

    @cached_property
    def _usage(self) -> Usage:
        return Usage(self.kinship)


def write_judge(judge: PublishedJudge, path: Path) -> None:
    """Write a judge: the latent space in half precision, all counts as they are."""
    kinship = judge.kinship
    arrays: dict[str, Any] = {
        "names": _packed(kinship.names),
        "product_of": _small(kinship.product_of),
        "value_of": _small(kinship.value_of),
        "space": kinship.space.astype(np.float16),
        "words": _packed(kinship.lines.vocabulary.terms),
        "words_idf": kinship.lines.vocabulary.idf.astype(np.float32),
        "runs": _packed(kinship.letters.vocabulary.terms),
        "runs_idf": kinship.letters.vocabulary.idf.astype(np.float32),
        "slopes": judge.slopes,
        "intercept": np.array(judge.intercept),
        "facts": _packed([json.dumps(dict(judge.facts), ensure_ascii=False)]),
    }
    for name in BAGS:
        arrays |= dict(_bags_arrays(name, getattr(kinship, name)))
    np.savez_compressed(path, **arrays)


def read_judge(path: Path) -> PublishedJudge:
    """The judge of a file that `write_judge` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        words = Vocabulary(_unpacked(kept["words"]), kept["words_idf"], sublinear=True)
        runs = Vocabulary(_unpacked(kept["runs"]), kept["runs_idf"], sublinear=False)
        bags = {name: _bags(kept, name, runs if name == "letters" else words) for name in BAGS}
        kinship = Kinship(
            names=_unpacked(kept["names"]),
            product_of=kept["product_of"].astype(np.int64),
            value_of=kept["value_of"].astype(np.int64),
            space=kept["space"].astype(np.float32),
            **bags,
        )
        return PublishedJudge(
            kinship, kept["slopes"], float(kept["intercept"]), json.loads(_unpacked(kept["facts"])[0])
        )


def _bags_arrays(name: str, bags: Bags) -> Iterator[tuple[str, Array]]:
    yield f"{name}_starts", _small(bags.starts)
    yield f"{name}_texts", _small(bags.texts)
    yield f"{name}_counts", _small(bags.counts)
    yield f"{name}_size", np.array(bags.size)


def _bags(kept: Mapping[str, Array], name: str, vocabulary: Vocabulary) -> Bags:
    return Bags(
        vocabulary,
        kept[f"{name}_starts"].astype(np.int64),
        kept[f"{name}_texts"].astype(np.int64),
        kept[f"{name}_counts"],
        int(kept[f"{name}_size"]),
    )


def _small(numbers: Array) -> Array:
    """Whole numbers from 0 on in as few bytes as hold them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _packed(texts: Sequence[str]) -> Array:
    return np.frombuffer(BREAK.join(texts).encode(), dtype=np.uint8)


def _unpacked(content: Array) -> tuple[str, ...]:
    return tuple(content.tobytes().decode().split(BREAK))
