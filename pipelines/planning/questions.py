"""Asks a teacher for products of a category or values of a product, and reads its answers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from jinja2 import Template

from pipelines.endpoint.answers.json_answers import FENCE, JSON_TOKENS, JSON_TOKENS_PER_LINE, Form, lines_of
from pipelines.endpoint.answers.thoughts import without_thoughts
from pipelines.planning.screening import PRODUCT_CHARS, VALUE_CHARS
from pipelines.planning.taxonomy import KINDS

#: The lists of an answer, by what is asked for.
LISTS = {"product": ("products",), "value": KINDS}
CHARS = {"product": PRODUCT_CHARS, "value": VALUE_CHARS}
#: A whole string in JSON, and the colon after it where it is a key.
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')

Kind = Literal["product", "value"]


def prompt_of(kind: Kind, question: Mapping[str, Any], count: int) -> str:
    """The Korean prompt of a question."""
    return _template(kind).render(**question, count=count, chars=CHARS[kind])


def answer_form(kind: Kind, count: int, max_new_tokens: int) -> Form:
    """A JSON object with one list of products, or a list of values for each kind.

    Args:
        max_new_tokens: of one product or value.
    """
    items = {"type": "array", "items": {"type": "string"}, "description": f"서로 다른 {count}가지"}
    names = list(LISTS[kind])
    schema = {
        "type": "object",
        "properties": {name: items for name in names},
        "required": names,
        "additionalProperties": False,
    }
    tokens = (max_new_tokens + JSON_TOKENS_PER_LINE) * count * len(names) + JSON_TOKENS
    return Form(
        lambda answer: [answer] if any(read_answer(answer, kind).values()) else [],
        {"type": "json_schema", "json_schema": {"name": f"{kind}s", "strict": True, "schema": schema}},
        tokens,
    )


def read_answer(answer: str, kind: Kind) -> dict[str, list[str]]:
    """The strings of each list in an answer, in order, none twice in a list.

    The lists are found wherever they stand: fenced, with words around them, cut off (an item that is not whole is left
    out). Products may also stand one a line, without JSON.
    """
    text = FENCE.sub("", without_thoughts(answer)).strip()
    lists = {name: _strings(text, name) for name in LISTS[kind]}
    if kind == "product" and not lists["products"]:
        lists["products"] = lines_of(answer)
    return lists


def _strings(text: str, name: str) -> list[str]:
    match = re.search(rf'"{name}"\s*:\s*\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)', text)
    items = [item for item, colon in STRING.findall(match[1]) if not colon] if match else []
    try:
        strings = [json.loads(f'"{item}"', strict=False).strip() for item in items]
    except json.JSONDecodeError:  # a stray backslash
        return []
    return [string for string in dict.fromkeys(strings) if string]


def prompt_digests() -> dict[str, str]:
    """The sha256 of each prompt's text, by its file's name."""
    paths = [_path(kind) for kind in get_args(Kind)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _path(kind: Kind) -> Path:
    return Path(__file__).parent / f"propose_{kind}s.jinja"


@cache
def _template(kind: Kind) -> Template:
    template: Template = Template(_path(kind).read_text(encoding="utf-8"), trim_blocks=True)
    return template
