"""What stands before Gradio's routes: none that nobody needs, no large body, no JSON that it answers with a trace."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse

from web.calls import Endpoints, Refusal, checked

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
STREAM = re.compile(r"/gradio_api/call/(v2/)?[^/]+/(?P<event>[^/]+)")


class Guard:
    """ASGI middleware.

    Args:
        endpoints: Gradio's.
        is_open: whether Gradio has a stream for an event or a session; of others it would break off with a trace.
    """

    def __init__(self, app: App, endpoints: Endpoints, is_open: Callable[[str], bool]) -> None:
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
                    body = checked(self._endpoints, path, body)
                scope, receive = _with_length(scope, len(body)), _once(body, receive)
        except Refusal as refusal:
            answer = JSONResponse({"message": refusal.sentence}, refusal.status)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _stream(path: str, scope: Scope) -> str | None:
    """The event or session whose stream is asked for."""
    if found := STREAM.fullmatch(path):
        return found["event"]
    if path == "/gradio_api/queue/data":
        return QueryParams(scope["query_string"]).get("session_hash", "")
    return None


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
