"""Finds the values of one field in an answer, also where its JSON is broken; all of them, so that none is guessed at.

`json-repair` is not used: it closes what is cut off (4 of 4.5), and of two objects takes one.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pipelines.endpoint.answers.json_answers import STARTS

REASON = "reason"
_SPACE = re.compile(r"\s+")
_OPEN, _CLOSE = "[\"'“‘]", "[\"'”’]"
#: A value, and that it is not cut off.
_VALUE = rf"\s*(?P<value>[^,}}\]\n\"'“”‘’]*?)\s*{_CLOSE}?\s*(?P<end>[,}}\]\n])"


def read(text: str, field: str) -> tuple[list[Any], str]:
    """The values of a field, of whole JSON objects and of broken ones, and a reason that stands beside them.

    Broken are: quotes within a text, single quotes, a comma after the last field, an end that is missing. A
    value that is cut off is found as an empty text.
    """
    objects, rest = _objects(text, field)
    values = [value for values, _ in objects for value in values]
    reasons = [reason for values, reason in objects if values and reason]
    rest = _SPACE.sub(lambda space: "\n" if "\n" in space[0] else " ", rest)  # a long one would take minutes below
    for match in re.finditer(before_value(field), rest):
        value = re.compile(_VALUE).match(rest, match.end())
        values.append(value["value"] if value else "")
    return values, next(iter(reasons), "") or _broken_reason(rest, field)


def before_value(field: str) -> str:
    """A regular expression for the name of a field and what stands between it and the value."""
    return rf"{_OPEN}{field}{_CLOSE}\s*[:：]\s*(?:{_OPEN}\s*)?"


def _objects(text: str, field: str) -> tuple[list[tuple[list[Any], str]], str]:
    """Of each whole object in a text the values of the field and its reason; and the text without the objects."""
    found, rest, place = [], "", 0
    for match in list(re.finditer("{", text))[:STARTS]:
        if match.start() < place:
            continue
        fields: list[list[tuple[str, Any]]] = []  # of each object within, the outermost last

        def keep(pairs: list[tuple[str, Any]], fields: list[list[tuple[str, Any]]] = fields) -> dict[str, Any]:
            fields.append(pairs)
            return dict(pairs)

        try:
            _, length = json.JSONDecoder(strict=False, object_pairs_hook=keep).raw_decode(text[match.start() :])
        except (ValueError, RecursionError):  # also of numbers too long to be read
            continue
        own = [value for name, value in fields[-1] if name == field]
        values = own or [value for pairs in fields for name, value in pairs if name == field]
        reasons = [value for pairs in reversed(fields) for name, value in pairs if name == REASON]
        found.append((values, next((reason for reason in reasons if isinstance(reason, str)), "")))
        rest, place = f"{rest}{text[place : match.start()]}\n", match.start() + length
    return found, rest + text[place:]


def _broken_reason(rest: str, field: str) -> str:
    match = re.search(rf"{before_value(REASON)}(?P<words>.*?){_CLOSE}\s*(?:,\s*{_OPEN}?{field}|,?\s*\}})", rest, re.S)
    return match["words"] if match else ""
