"""Reads what an endpoint says of an error, in whatever shape: OpenAI's, FastAPI's, Google's, a page of a proxy."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.endpoint.answers.payloads import described

#: Fields whose words say what is wrong, or that hold such fields, the ones that say most first.
_WORDS = (
    *("error", "errors", "detail", "message", "messages", "msg", "title", "reason", "raw", "metadata", "innererror"),
    *("error_message", "errormessage", "error_msg", "error_description", "fault", "faultstring", "status"),
)
_CODES = ("code", "type", "status", "error_code", "error_type", "errorcode")
_PARAMS = ("param", "parameter", "field")
#: Objects within each other, items of a list, and objects in all, that are looked into.
_DEPTH, _ITEMS, _OBJECTS = 8, 5, 50
#: Codes of content filters: OpenAI and Azure, Alibaba.
_FILTERED = re.compile(r"content.*(?:filter|policy)|responsibleaipolicy|data_?inspection", re.I)


@dataclass(frozen=True)
class Said:
    """What an endpoint said of an error.

    Attributes:
        message: all that it said in words; of any length, and may hold the key.
        param: the parameter of the request that it names, or empty.
        code: its codes and types of error, with spaces between them.
    """

    message: str
    param: str = ""
    code: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether a content filter of the provider refused."""
        return bool(_FILTERED.search(self.code))


def read_error(body: Any) -> Said:
    """What the body of an error says: JSON as a value, or a text."""
    nodes = list(itertools.islice(_nodes(body), _OBJECTS))
    found = dict.fromkeys(words for node in nodes for words in _words(node))
    # "Bad Request" beside "400 Bad Request: seed" says nothing more.
    words = [one for one in found if not any(one != other and one in other for other in found)]
    params = [str(node[name]) for node in nodes for name in _PARAMS if isinstance(node.get(name), str)]
    places = [place for node in nodes if (place := _place(node))]
    codes = [str(node[name]) for node in nodes for name in _CODES if isinstance(node.get(name), str | int)]
    param = next(iter([*params, *(place.split(".")[0] for place in places)]), "")
    return Said("; ".join(words) or described(body), param, " ".join(dict.fromkeys(codes)))


def _nodes(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The objects of a body that may say something, from the outside to the inside, with their names in lower case."""
    if depth > _DEPTH:
        return
    if isinstance(value, str):  # OpenRouter hands on what a provider said as JSON in a text
        inner = _json(value)
        if isinstance(inner, dict | list):
            yield from _nodes(inner, depth + 1)
    elif isinstance(value, list):
        for item in value[:_ITEMS]:
            yield from _nodes(item, depth + 1)
    elif isinstance(value, dict):
        node = {str(name).lower(): item for name, item in value.items()}
        yield node
        for name in _WORDS:
            yield from _nodes(node.get(name), depth + 1)


def _words(node: Mapping[str, Any]) -> Iterator[str]:
    """The words that stand in an object itself; with the place in the request, where that is all it names."""
    place = _place(node)
    if place:  # FastAPI and pydantic
        yield f"{place}: {node.get('msg') or node.get('message') or node.get('type') or 'not valid'}"
        return
    for name in _WORDS:
        texts = node.get(name) if isinstance(node.get(name), list) else [node.get(name)]
        for text in (texts or [])[:_ITEMS]:
            if isinstance(text, str) and text.strip() and not isinstance(_json(text), dict | list):
                yield described(text) if text.lstrip().startswith("<") else " ".join(text.split())


def _place(node: Mapping[str, Any]) -> str:
    """Where in the request's body something is wrong, as FastAPI says it: `["body", "seed"]`."""
    parts = node.get("loc")
    if not isinstance(parts, list):
        return ""
    return ".".join(str(part) for part in (parts[1:] if parts[:1] == ["body"] else parts))


def _json(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
