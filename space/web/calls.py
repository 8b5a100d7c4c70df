"""Bodies of calls, checked before Gradio reads them: it answers what it did not expect with a trace."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import messages
from gradio import Request

#: Name -> function, in the order in which Gradio numbers them.
Endpoints = dict[str, Callable[..., Any]]

CALL = re.compile(r"/gradio_api/call/(?P<named>v2/)?(?P<name>[^/]+)/?")
JOIN = "/gradio_api/queue/join"
MAX_QUOTED = 40  # characters of a name that nothing has


class Refusal(Exception):
    """A request that ends here: status and sentence."""

    def __init__(self, status: int, key: str, lang: messages.Language = "ko", **fields: Any) -> None:
        super().__init__(key)
        self.status, self.sentence = status, messages.text(key, lang, **fields)


def checked(endpoints: Endpoints, path: str, body: bytes) -> bytes:
    """The body of a request, a JSON object; that of a call with every argument of its endpoint.

    Raises:
        Refusal: it is no JSON, or not what the endpoint takes.
    """
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(422, "no_json") from error
    if not isinstance(sent, dict):
        raise Refusal(422, "no_object")
    if call := CALL.fullmatch(path):
        function = _function(endpoints, call["name"])
        return _dumped(_named(function, sent) if call["named"] else {"data": _in_order(function, sent)})
    if path == JOIN:
        number = sent.get("fn_index")
        name = dict(enumerate(endpoints)).get(number) if isinstance(number, int) else None
        data = _in_order(_function(endpoints, str(number) if name is None else name), sent)
        return _dumped({"data": data, "fn_index": number, "session_hash": str(sent.get("session_hash"))})
    return body


def _function(endpoints: Endpoints, name: str) -> Callable[..., Any]:
    if name not in endpoints:
        raise Refusal(404, "unknown_endpoint", name=name[:MAX_QUOTED])
    return endpoints[name]


def _named(function: Callable[..., Any], sent: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name; what is missing has its default, or none."""
    known = _arguments(function)
    lang: messages.Language = "en" if sent.get("lang") == "en" else "ko"
    for name in sent:
        if name not in known:
            raise Refusal(422, "unknown_argument", lang, name=name[:MAX_QUOTED], names=", ".join(known))
    return known | sent


def _in_order(function: Callable[..., Any], sent: dict[str, Any]) -> list[Any]:
    """All arguments in order; what is missing at the end has its default, or none."""
    known, data = _arguments(function), sent.get("data")
    if not isinstance(data, list) or len(data) > len(known):
        raise Refusal(422, "no_data", most=len(known))
    return [*data, *list(known.values())[len(data) :]]


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of an endpoint and their defaults, without the request, which Gradio fills in."""
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name: None if parameter.default is parameter.empty else parameter.default
        for parameter in parameters
        if parameter.annotation is not Request
    }


def _dumped(sent: dict[str, Any]) -> bytes:
    return json.dumps(sent).encode()
