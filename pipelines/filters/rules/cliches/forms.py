"""Clichés that somebody listed: forms in `templates.yaml`, stock words in `stock_words.yaml`.

One stock word in a good line is fine; they carry a line where two or more are half of its words, or a quarter of them
with a heavy one among them, or where a heavy one comes last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FORMS = Path(__file__).parent / "templates.yaml"
STOCK_WORDS = Path(__file__).parent / "stock_words.yaml"
WORD = re.compile(r"[^\W_]+")


def listed_cliche(line: str) -> str | None:
    """The form that a line has, or the stock words that carry it, as evidence; or None.

    Examples:
        `화려한 순간을 살아내다` -> `stock words 순간을`, one word of three;
        `당신이 잠든 사이 우유가 현관까지` -> None, one of five.
    """
    if (form := _pattern().search(line)) and form.lastgroup:
        return f"form {_names()[form.lastgroup]}"
    found = list(_stock().finditer(line))
    if found and _carry(line, found):
        return f"stock words {' '.join(match.group() for match in found)}"
    return None


@cache
def load_forms() -> list[dict[str, Any]]:
    """The entries of `templates.yaml`: name, pattern, hits, fine."""
    entries: list[dict[str, Any]] = yaml.safe_load(FORMS.read_text(encoding="utf-8"))
    return entries


def _carry(line: str, found: Sequence[re.Match[str]]) -> bool:
    words = [match.start() for match in WORD.finditer(line)]
    heavy = [match.start() for match in found if match.lastgroup == "heavy"]
    if heavy:
        return 4 * len(found) >= len(words) or words[-1] in heavy
    return len(found) > 1 and 2 * len(found) >= len(words)


@cache
def _stock() -> re.Pattern[str]:
    words: dict[str, str] = yaml.safe_load(STOCK_WORDS.read_text(encoding="utf-8"))
    weights = (f"(?P<{weight}>{'|'.join(listed.split())})" for weight, listed in words.items())
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(weights)})".replace("$", r"(?![^\W_])"))


@cache
def _names() -> dict[str, str]:
    return {f"form{place}": entry["name"] for place, entry in enumerate(load_forms())}


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<form{place}>{entry['pattern']})" for place, entry in enumerate(load_forms())))
