"""The wording of clichés: how worn-out lines are worded, whatever the product, by `lines.jsonl` and forms' examples."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipelines.filters.rules.cliches.forms import load_forms
from pipelines.filters.wording import Labelled, Wording, fit_wording, ordinary_rows, read_wording
from pipelines.slogans import load_slogans

#: One JSON object each: category, product, line, worn.
LINES = Path(__file__).parent / "lines.jsonl"
#: Corpus lines that stand beside the labelled ones as fresh: good and plain ones, and flat ones, which are dull and say
#: something all the same.
ORDINARY, ORDINARY_FLAT = 3000, 1500
#: Marks around a line, which tell nothing.
MARKS = " .!?~…\"'“”‘’"
#: The model itself, only in a copy of the rules that goes without the lines and the corpus.
FITTED = Path(__file__).parent / "wording.json.gz"


@cache
def wording() -> Wording:
    """The model of `lines.jsonl`, the forms' own examples, real slogans and ordinary lines."""
    if FITTED.exists():
        return read_wording(FITTED)
    kinds = ((frozenset({"good", "plain"}), ORDINARY), (frozenset({"flat"}), ORDINARY_FLAT))
    ordinary = [row for merits, number in kinds for row in ordinary_rows(merits, number)]
    slogans = (_label(row["ad_copy"], False) for row in load_slogans())
    return fit_wording([*_labelled(), *_examples(), *slogans], [_label(row["ad_copy"], False) for row in ordinary])


def log_odds(line: str) -> float:
    """That an editor would call a line worn out."""
    return wording().log_odds(line.strip(MARKS))


def strongest(line: str) -> str:
    """The word of a line that speaks most for that."""
    return wording().strongest(line.strip(MARKS))


def _labelled() -> Iterable[Labelled]:
    for text in LINES.read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        yield _label(row["line"], row["worn"])


def _examples() -> Iterable[Labelled]:
    for form in load_forms():
        for lines, worn in ((form["hits"], True), (form["fine"], False)):
            yield from (_label(line, worn) for line in lines)


def _label(line: str, worn: bool) -> Labelled:
    return Labelled(line.strip(MARKS), worn)
