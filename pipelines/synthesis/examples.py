"""Famous slogans as rows: lines whose worth nobody has to argue about, and which of them a teacher may be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import HanjulError
from pipelines.filters import first_rule
from pipelines.filters.limits import Limits
from pipelines.rows import Row, make_row, normalise
from pipelines.text.ngrams import letters

EXAMPLES = Path(__file__).parent / "examples.jsonl"

#: What the brief asks of a line. Shorter ones are wit that needs its brand; only the rules are looked at.
ASKED = Limits(
    min_chars=8,
    max_chars=40,
    min_pv=0,
    min_naturalness=0,
    keep_per_pair=1,
    trust_written=True,
    max_similarity=1,
    max_eval_similarity=1,
    max_slogan_similarity=1,
    max_phrase_share=1,
    max_phrase_count=1,
)


def is_exemplary(row: Mapping[str, Any]) -> bool:
    """Whether a `raw` row does itself what the brief asks for: it breaks no rule and has 8 to 40 characters."""
    return not first_rule(row, ASKED)[0]


def exemplary_slogans() -> tuple[Row, ...]:
    """The shipped slogans that do what the brief asks for and name no brand, in the order of the file."""
    shipped = EXAMPLES.read_text(encoding="utf-8").splitlines()
    brands = [json.loads(line)["brand"] for line in shipped if line.strip()]
    slogans = zip(brands, load_examples(), strict=True)
    return tuple(row for brand, row in slogans if not _names(row["ad_copy"], brand) and is_exemplary(row))


def _names(line: str, brand: str) -> bool:
    """Whether a line says a word of a brand, however it is spaced; a word of one letter is too common to tell."""
    said = letters(line)
    words = [letters(word) for word in (brand, *brand.split())]
    return any(len(word) > 1 and word in said for word in words)


def load_examples(path: Path = EXAMPLES) -> list[Row]:
    """The rows of an examples file, in its order: one JSON object a line, in UTF-8; blank lines are skipped.

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
        raise HanjulError("The file holds no examples", str(path), "give one JSON object a line")
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
