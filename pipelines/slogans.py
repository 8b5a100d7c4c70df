"""Famous slogans as rows: lines whose worth nobody has to argue about, and which no line may copy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.errors import HanjulError
from pipelines.rows import Row, make_row, normalise
from pipelines.text.line_index import Lines

SLOGANS = Path(__file__).parent / "slogans.jsonl"


@cache
def slogan_lines() -> Lines:
    """The lines of the slogans that ship with Hanjul, indexed once."""
    return Lines(row["ad_copy"] for row in load_slogans())


def load_slogans(path: Path = SLOGANS) -> list[Row]:
    """The rows of a file of slogans, in its order: one JSON object a line, in UTF-8; blank lines are skipped.

    Keys: product (str), values (list of str), ad_copy (str) and, if known, category (str). Any other key, such as the
    brand and year of the shipped file, is for people and stays in the file.

    Returns:
        Rows with source `slogan`; category is "" where the file names none.

    Raises:
        HanjulError: the file cannot be read or holds no line, or a line is not a JSON object, lacks a key, has
            something of the wrong type or empty, or gives an ad_copy that an earlier line gives.
    """
    try:
        # utf-8-sig: editors on Windows put a byte order mark first.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HanjulError(f"The file cannot be read: {error}", str(path), "give a JSONL file in UTF-8") from error
    rows: list[Row] = []
    seen: dict[str, int] = {}
    # Not splitlines(): a JSON string may hold U+2028 and its kin.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _row(line, f"{path}, line {number}")
        first = seen.setdefault(row["ad_copy"], number)
        if first != number:
            raise HanjulError(f"`ad_copy` stands in line {first} already", f"{path}, line {number}", "remove one")
        rows.append(row)
    if not rows:
        raise HanjulError("The file holds no slogans", str(path), "give one JSON object a line")
    return rows


def _row(line: str, where: str) -> Row:
    try:
        example = json.loads(line)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise HanjulError(f"Not JSON: {error}", where, "give one JSON object a line") from error
    if not isinstance(example, dict):
        raise HanjulError("Not a JSON object", where, "give one with product, values and ad_copy")
    missing = [key for key in ("product", "values", "ad_copy") if key not in example]
    if missing:
        raise HanjulError(f"`{missing[0]}` is missing", where, "add it")
    values, category = example["values"], example.get("category", "")
    if not isinstance(values, list) or not values or not all(_is_text(value) for value in values):
        raise HanjulError("`values` must be a list of words, none empty", where)
    for key in ("product", "ad_copy"):
        if not _is_text(example[key]):
            raise HanjulError(f"`{key}` must be text, not empty", where)
    if category != "" and not _is_text(category):
        raise HanjulError("`category` must be text", where, "leave it out where it is not known")
    return make_row(example["product"], values, example["ad_copy"], category=normalise(category), source="slogan")


def _is_text(value: Any) -> bool:
    """Whether a value is text to read: not blank, and no half of a surrogate pair, which UTF-8 cannot hold."""
    return (
        isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    )
