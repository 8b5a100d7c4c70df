"""What stands before Gradio's routes: none that nobody needs, no large body, no JSON that it answers with a trace."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import messages
from gradio import Request
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_KB = 64  # of a request
#: Method -> the paths that the page, `gradio_client`, MCP clients and Gradio's own start ask for.
OPEN = {
    "GET": re.compile(
        r"/|/page/[^/]+|/status|/config/?|/gradio_api/(info/?|openapi\.json|startup-events|heartbeat/[^/]+"
        r"|queue/(data|status)|call/(v2/)?[^/]+/[^/]+|mcp(/.*)?)"
    ),
    "POST": re.compile(
        r"/stop|/feedback|/gradio_api/(queue/join|cancel|call/(v2/)?[^/]+/?|mcp(/.*)?)"
    ),
}  # fmt: skip
OPEN |= {"HEAD": OPEN["GET"], "DELETE": re.compile(r"/gradio_api/mcp/?")}
CALL = re.compile(r"/gradio_api/call/(?P<named>v2/)?(?P<name>[^/]+)/?")
STREAM = re.compile(r"/gradio_api/call/(v2/)?[^/]+/(?P<event>[^/]+)")


class Refusal(Exception):
    """A request that ends here: status and sentence."""

    def __init__(self, status: int, key: str, lang: messages.Language = "ko", **fields: Any) -> None:
        super().__init__(key)
        self.status, self.sentence = status, messages.text(key, lang, **fields)


class Guard:
    """ASGI middleware.

    Args:
        endpoints: Gradio's, name -> function, in the order in which it numbers them.
        is_open: whether Gradio has a stream for an event or a session; of others it would break off with a trace.
    """

    def __init__(self, app: App, endpoints: dict[str, Callable[..., Any]], is_open: Callable[[str], bool]) -> None:
        self.app, self._endpoints, self._is_open = app, endpoints, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, method = scope["path"].removeprefix(scope.get("root_path", "")) or "/", scope["method"]
        try:
            if method not in OPEN or not OPEN[method].fullmatch(path):
                raise Refusal(404, "no_page")
            if method == "GET" and (stream := _stream(path, scope)) is not None and not self._is_open(stream):
                raise Refusal(404, "no_stream")
            if method == "POST":
                body = await _read(receive)
                if path != "/gradio_api/cancel" and not path.startswith("/gradio_api/mcp"):
                    body = self._checked(path, body)
                scope, receive = _with_length(scope, len(body)), _once(body, receive)
        except Refusal as refusal:
            answer = JSONResponse({"message": refusal.sentence}, refusal.status)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _checked(self, path: str, body: bytes) -> bytes:
        """The body, with every argument of its endpoint.

        Raises:
            Refusal: it is no JSON, or not what the endpoint takes.
        """
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refusal(422, "no_json") from error
        if not isinstance(sent, dict):
            raise Refusal(422, "no_object")
        call = CALL.fullmatch(path)
        if call:
            function = self._function(call["name"])
            return _dumped(_named(function, sent) if call["named"] else {"data": _in_order(function, sent.get("data"))})
        if path == "/gradio_api/queue/join":
            number, session = sent.get("fn_index"), sent.get("session_hash")
            names = dict(enumerate(self._endpoints))
            function = self._function(names.get(number, number) if isinstance(number, int) else number)
            data = _in_order(function, sent.get("data"))
            return _dumped({"data": data, "fn_index": number, "session_hash": str(session)})
        return body

    def _function(self, name: Any) -> Callable[..., Any]:
        if not isinstance(name, str) or name not in self._endpoints:
            raise Refusal(404, "unknown_endpoint", name=str(name)[:40])
        return self._endpoints[name]


def _stream(path: str, scope: Scope) -> str | None:
    """The event or session whose stream is asked for."""
    if found := STREAM.fullmatch(path):
        return found["event"]
    if path == "/gradio_api/queue/data":
        return QueryParams(scope["query_string"]).get("session_hash", "")
    return None


def _dumped(sent: dict[str, Any]) -> bytes:
    return json.dumps(sent).encode()


def _named(function: Callable[..., Any], sent: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name; what is missing has its default, or none."""
    known = _arguments(function)
    for name in sent:
        if name not in known:
            raise Refusal(422, "unknown_argument", _language(sent.get("lang")), name=name[:40], names=", ".join(known))
    return known | sent


def _in_order(function: Callable[..., Any], data: Any) -> list[Any]:
    """All arguments in order; what is missing at the end has its default, or none."""
    known = _arguments(function)
    if not isinstance(data, list) or len(data) > len(known):
        raise Refusal(422, "no_data", most=len(known))
    return [*data, *list(known.values())[len(data) :]]


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of an endpoint and their defaults, without the one that Gradio fills in."""
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name: None if parameter.default is parameter.empty else parameter.default
        for parameter in parameters
        if parameter.annotation is not Request
    }


def _language(lang: Any) -> messages.Language:
    return "en" if lang == "en" else "ko"


async def _read(receive: Receive) -> bytes:
    """The body of a request.

    Raises:
        Refusal: it is too large.
    """
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_KB * 1024:
            raise Refusal(413, "too_large", most=MAX_KB)
    return body


def _with_length(scope: Scope, length: int) -> Scope:
    headers = [header for header in scope["headers"] if header[0].lower() not in (b"content-length", b"content-type")]
    headers += [(b"content-length", str(length).encode()), (b"content-type", b"application/json")]
    return {**scope, "headers": headers}


def _once(body: bytes, receive: Receive) -> Receive:
    """What gives a body that has been read, then what comes after it."""
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
