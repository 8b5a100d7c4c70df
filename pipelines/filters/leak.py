"""`leak`: the line says the product or the value instead of making it felt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipelines.filters import morphemes
from pipelines.filters.limits import Limits


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`product 커피`, `value 조용한`, `stem 조용`, or None."""
    line = row["ad_copy"]
    if _says(line, row["product"], noun=True):
        return f"product {row['product']}"
    for value in row["values"]:
        if _says(line, value, noun=False):
            return f"value {value}"
        found = morphemes.stems(value)
        # A value of several words is said when all of them are: 아침 alone does not say 바쁜 아침.
        if found and all(morphemes.holds(line, stem, verb) for stem, verb in found):
            return f"stem {' '.join(stem for stem, _ in found)}"
    return None


def _says(line: str, words: str, *, noun: bool) -> bool:
    """Whether a line holds the words letter by letter, however they are spaced."""
    for match in _spelled(words).finditer(line):
        extra_space = match.group().count(" ") > words.count(" ")
        if extra_space and match.start() > 0 and line[match.start() - 1] != " ":
            continue  # 마치 약속 is not 치약
        short = len(words) == 1 or (noun and len(words) == 2)
        if not short or morphemes.starts_noun(line, match.start()):
            return True
    return False


@cache
def _spelled(words: str) -> re.Pattern[str]:
    return re.compile(r"\s?".join(re.escape(letter) for letter in words if not letter.isspace()), re.I)
