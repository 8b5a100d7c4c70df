"""Mends what can be mended without guessing, before any filter looks: quotes around a line, labels, stray spaces."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from pipelines.rows import row_id
from pipelines.text.frames import unwrap

#: What a line of copy hardly begins with, whoever wrote it. What models put there besides may be people's own words.
LABEL = re.compile(
    r"^\s*[\[(<*]*\s*(?:광고\s*)?(?:카피(?:라이팅)?|문구|슬로건|ad\s*copy|copy)\s*[\])>*]*\s*[:：]\s*\**", re.I
)
QUOTES = "\"“”„‟＂'‘’`「」『』«»"


def tidy(ad_copy: str) -> str:
    """The line without its wrapping: a leading label, surrounding quotes, blank lines and doubled spaces.

    Line breaks inside stay, so that the `format` filter sees them. Doing it twice changes nothing.

    Examples:
        `카피: "월요일도 반쯤은 금요일"` becomes `월요일도 반쯤은 금요일`.
    """
    text, before = _spaces(ad_copy), None
    while text != before:
        before = text
        text = _spaces(unwrap(LABEL.sub("", text)))
    return text


def clean_value(value: str) -> str:
    """A value without stray quotes and punctuation at its ends: `"다채로운"` becomes `다채로운`. May come out empty."""
    return " ".join(unicodedata.normalize("NFC", value).split()).strip(QUOTES + " \\,.;:")


def tidy_row(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its line tidied and its id made anew from it."""
    ad_copy = tidy(row["ad_copy"])
    if ad_copy == row["ad_copy"]:
        return row
    return row | {"ad_copy": ad_copy, "id": row_id(row["product"], row["values"], ad_copy)}


def _spaces(text: str) -> str:
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).splitlines())
    return "\n".join(line for line in lines if line)
