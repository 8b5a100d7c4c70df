"""Cells as what they mean: one text, or a list of values, however a spreadsheet, pandas or JSON wrote it down."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from reprlib import repr as short
from typing import Any

from pipelines.errors import HanjulError
from pipelines.text.tidy import clean_value
from space.plain_text import part_values

#: What nobody sees and nobody means: soft hyphens, zero-width spaces, marks of byte order and of direction. Not the
#: zero-width joiner, which holds emoji together.
INVISIBLE = re.compile("[\u00ad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
#: Of a surrogate pair.
HALVES = re.compile("[\ud800-\udfff]")
QUOTED = r"(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
#: `['든든한', '가벼운']` of Python, and `['든든한' '가벼운']` of numpy, which Python would read as one word.
QUOTED_LIST = re.compile(rf"[\[({{]\s*+(?:{QUOTED}[\s,]*+)++[\])}}]", re.DOTALL)
#: A list of whatever kind that did not come to its end.
BEGUN = re.compile(r"[\[({]\s*['\"]")
#: By the sign that opens a list.
ENDS = {"[": "]", "(": ")", "{": "}"}
#: What stands for nothing inside a list that a program wrote.
NOTHING = ("None", "null", "nan", "NaN", "")
#: How a text that is no list is parted into values.
Parts = Callable[[str], Iterable[str]]


def text(cell: Any, deep: int = 2) -> str:
    """The text of a cell that holds one: words as they stand there, whole numbers without `.0`, nothing as "".

    Of a text in several languages (`{"ko": …, "en": …}`) the Korean one; of a list or record of one thing, that thing.

    Args:
        deep: how many lists or records may lie in each other.

    Raises:
        HanjulError: it holds several things, a truth value, no number, or bytes.
    """
    found = _plain(cell)
    if isinstance(found, str):
        return found
    entries = _entries(found)
    if len(entries) > 1 or not deep:
        raise HanjulError(f"one text is expected, and there is {short(cell)}", next_step="give one")
    return text(entries[0], deep - 1) if entries else ""


def clean_parts(words: str) -> list[str]:
    """The values of a text, as the form parts them (`part_values`), clean."""
    return list(map(clean_value, part_values(words)))


def values(cell: Any, parts: Parts = clean_parts) -> list[str]:
    """The values of a cell, each once: of a list its entries, clean, of a text its parts.

    A text that is a list to Python, numpy or JSON is that list: `['든든한', '가벼운']`. Brackets around words without
    quotes are a list as well, `[든든한, 가벼운]`; before or inside a text they are text, `[한정] 특가`.

    Raises:
        HanjulError: a list that has no end, or something in it that is no text.
    """
    found = _plain(cell)
    if isinstance(found, str):
        found = _listed(found)
    if isinstance(found, Mapping):
        found = ", ".join(map(text, _entries(found)))
    said = parts(found) if isinstance(found, str) else [clean_value(text(entry)) for entry in _entries(found)]
    return list(dict.fromkeys(filter(None, said)))


def _plain(cell: Any) -> str | list[Any] | tuple[Any, ...] | Mapping[Any, Any]:
    """The text of a cell that is no collection, or the collection."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bytes):
        return _plain(_decoded(cell))
    if isinstance(cell, str):
        if HALVES.search(cell):
            raise HanjulError(f"half of a letter, which UTF-8 cannot hold: {short(cell)}")
        return INVISIBLE.sub("", cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float | Decimal) and math.isfinite(cell):
        return f"{cell:.0f}" if cell == int(cell) else str(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, list | tuple | Mapping):
        return cell
    raise HanjulError(f"text is expected, and there is {type(cell).__name__} {short(cell)}")


def _decoded(cell: bytes) -> str:
    try:
        return cell.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HanjulError(f"text is expected, and there are bytes that are no UTF-8: {short(cell)}") from error


def _entries(cell: list[Any] | tuple[Any, ...] | Mapping[Any, Any]) -> list[Any]:
    """What a collection holds, without what is empty. Of a record that has several entries only languages are known."""
    if not isinstance(cell, Mapping):
        return [entry for entry in cell if not _is_nothing(entry)]
    filled = {name: entry for name, entry in cell.items() if not _is_nothing(entry)}
    if "ko" in filled:
        filled = {"ko": filled["ko"]}
    if len(filled) > 1:
        raise HanjulError(f"a record is not text: {short(cell)}", next_step="give one text, or a list of them")
    return [inner for entry in filled.values() for inner in (entry if isinstance(entry, list | tuple) else [entry])]


def _is_nothing(entry: Any) -> bool:
    return entry is None or entry in ("", [], {}) or (isinstance(entry, float) and math.isnan(entry))


def _listed(words: str) -> str | list[Any] | tuple[Any, ...] | Mapping[Any, Any]:
    """The list or record that a text spells, or the text."""
    words = words.strip()
    if words[:1] not in ENDS:
        return words
    for parse in (json.loads, _quoted, ast.literal_eval):
        try:
            found = parse(words)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list | tuple | dict):
            return found
    end = words.find(ENDS[words[0]])
    if BEGUN.match(words) and end in (-1, len(words) - 1):
        raise HanjulError(f"a list that cannot be read: {short(words)}", next_step="write the values as a, b")
    if words[0] == "[" and end == len(words) - 1:
        return [part for part in part_values(words[1:-1]) if part.strip() not in NOTHING]
    return words


def _quoted(words: str) -> list[Any]:
    """The entries of a list of words in quotes, with or without commas between them."""
    if not QUOTED_LIST.fullmatch(words):
        raise ValueError(words)
    return [ast.literal_eval(quoted) for quoted in re.findall(QUOTED, words, re.DOTALL)]
