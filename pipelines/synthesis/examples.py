"""Which lines a teacher may be shown as examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.rows import Row
from pipelines.slogans import SLOGANS, load_slogans
from pipelines.text.line_index import Lines
from pipelines.text.ngrams import letters

#: What the brief asks of a line. Shorter ones are wit that needs its brand; only the rules are looked at.
ASKED = Limits(min_chars=8, max_chars=40, slogans=Lines())


def is_exemplary(row: Mapping[str, Any]) -> bool:
    """Whether a `raw` row does itself what the brief asks for: it breaks no rule and has 8 to 40 characters."""
    return not first_rule(row, ASKED)[0]


def exemplary_slogans() -> tuple[Row, ...]:
    """The shipped slogans that do what the brief asks for and name no brand, in the order of the file."""
    shipped = SLOGANS.read_text(encoding="utf-8").splitlines()
    brands = [json.loads(line)["brand"] for line in shipped if line.strip()]
    slogans = zip(brands, load_slogans(), strict=True)
    return tuple(row for brand, row in slogans if not _names(row["ad_copy"], brand) and is_exemplary(row))


def _names(line: str, brand: str) -> bool:
    """Whether a line says a word of a brand, however it is spaced; a word of one letter is too common to tell."""
    said = letters(line)
    words = [letters(word) for word in (brand, *brand.split())]
    return any(len(word) > 1 and word in said for word in words)
