"""The wording of claims: how restricted lines of a product are worded, by `lines.jsonl` and the patterns' examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.filters.rules.claims.entries import load_claims
from pipelines.filters.wording import Labelled, Wording, fit_wording, ordinary_rows, read_wording
from pipelines.slogans import load_slogans

#: One JSON object each: category, product, line, restricted.
LINES = Path(__file__).parent / "lines.jsonl"
#: Corpus lines that stand beside the labelled ones as innocent.
ORDINARY = 3000
#: The model itself, only in a copy of the rules that goes without the lines and the corpus.
FITTED = Path(__file__).parent / "wording.json.gz"


@cache
def wording() -> Wording:
    """The model of `lines.jsonl`, the patterns' own examples, real slogans and ordinary lines."""
    if FITTED.exists():
        return read_wording(FITTED)
    slogans = (Labelled(row["ad_copy"], False, row["product"]) for row in load_slogans())
    ordinary = ordinary_rows(frozenset({"good", "plain"}), ORDINARY)
    return fit_wording(
        [*_labelled(), *_examples(), *slogans],
        [variant for row in ordinary for variant in _with_and_without(row | {"line": row["ad_copy"]})],
    )


def _labelled() -> Iterable[Labelled]:
    for text in LINES.read_text(encoding="utf-8").splitlines():
        yield from _with_and_without(json.loads(text))


def _with_and_without(row: Mapping[str, Any]) -> Iterable[Labelled]:
    """A line of its category and product, and of its product alone: many rows that are imported have no category."""
    for goods in (f"{row['category']} {row['product']}", row["product"]):
        yield Labelled(row["line"], row.get("restricted", False), goods)


def _examples() -> Iterable[Labelled]:
    for claim in load_claims():
        for examples, restricted in ((claim.examples, True), (claim.fine, False)):
            for example in examples:
                product, line = example.split(" | ")
                yield Labelled(line, restricted, product)
