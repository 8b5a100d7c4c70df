"""Build the ASGI application: raw paths, known hosts only, errors as the clients expect them."""

import errno
import re
import sqlite3
import uuid
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from scripts.local_hub.errors import ApiError, RepoMoved
from scripts.local_hub.names import KINDS
from scripts.local_hub.routes import (
    collections,
    commits,
    discussions,
    download,
    info,
    jobs,
    lfs,
    listing,
    pages,
    refs,
    repos,
    service,
    spaces,
    upload,
    xet,
)
from scripts.local_hub.routes.people import accounts, gates, hooks, likes
from scripts.local_hub.smart_http import routes as smart_http
from scripts.local_hub.store import Store

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
# `models` is what the router calls the web's empty prefix.
_TYPED = re.compile(r"/(api|datasets|spaces|kernels|collections)(/|$)")
_KIND = f"({'|'.join(KINDS)})"
# What follows a repo's id: before it stands a name without a namespace, which is none of ours.
_VERB = (
    "(auth-check|branch|commit|commits|discussions|duplicate|lfs-files|like|likers|paths-info|preupload|refs"
    "|revision|settings|super-squash|tag|tree|user-access-request|xet-(read|write)-token)"
)
_REPO_PATH = re.compile(rf"/api/{_KIND}/[^/]+(/{_VERB}(/.*)?)?|/{_KIND}/.+/resolve/.+")


def build_app(store: Store, *, everywhere: bool = False) -> "GuardedApp":
    """The server over one store, with every route and error handler.

    Args:
        everywhere: answer to every host name, not to those of this machine alone.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.store = store
    app.state.leases = set()
    app.state.downloads = {}
    for module in (
        service,
        accounts,
        gates,
        likes,
        hooks,
        collections,
        spaces,
        jobs,
        upload,
        lfs,
        xet,
        discussions,
        commits,
        refs,
        repos,
        listing,
        info,
        download,
        smart_http,
        pages,
    ):
        app.include_router(module.router)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RepoMoved, _moved)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown_route)
    app.add_exception_handler(UnicodeError, _unstorable)
    app.add_exception_handler(OverflowError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(OSError, _disk)
    app.add_exception_handler(sqlite3.OperationalError, _disk)
    return GuardedApp(app, _HOST if everywhere else _LOOPBACK)


class GuardedApp:
    """Refuses other hosts (DNS rebinding) and lets routes match the path as it was sent, still quoted."""

    def __init__(self, app: FastAPI, hosts: re.Pattern[str]) -> None:
        self._app = app
        self._hosts = hosts
        self.state = app.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _with_request_id(scope, send)
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            if not self._hosts.fullmatch(host):
                refused = _reply(ApiError(400, "BadHost", "The local Hub does not answer to this host name."))
                return await refused(scope, receive, send)
            path = scope["raw_path"].decode("latin-1")
            scope = {**scope, "path": path if path == "/" or _TYPED.match(path) else f"/models{path}"}
        await self._app(scope, receive, send)


def _with_request_id(scope: Scope, send: Send) -> Send:
    """Name every answer as the client named its request, or at random."""
    headers = dict(scope["headers"])
    sent = headers.get(b"x-request-id") or headers.get(b"x-amzn-trace-id") or b""
    name = sent if re.fullmatch(rb"[\w.:=;/-]{1,128}", sent) else uuid.uuid4().hex.encode()

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-request-id", name)]}
        await send(message)

    return named


def _reply(error: ApiError) -> JSONResponse:
    # A header value is one line of visible characters; the body has the message in full.
    message = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", error.message).split())
    message = message.encode("ascii", "backslashreplace").decode()[:500]
    headers = {"X-Error-Code": error.code, "X-Error-Message": message}
    body = {"error": error.message} | error.fields
    return JSONResponse(body, error.status, headers=headers | error.headers)


async def _api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return _reply(error)


async def _moved(request: Request, error: Exception) -> RedirectResponse:
    """Relative, because HEAD requests of the clients follow only relative redirects."""
    assert isinstance(error, RepoMoved)
    sent = request.scope["raw_path"].decode("latin-1")
    namespace, name = request.path_params["namespace"], request.path_params["name"]
    location = sent.replace(f"{namespace}/{name}", quote(error.new_id), 1)
    return RedirectResponse(f"{location}?{request.url.query}".rstrip("?"), 307)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _reply(ApiError(400, "BadRequest", f"{where}: {first['msg']}"))


async def _unknown_route(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if _REPO_PATH.fullmatch(request.scope["path"]):
        return _reply(ApiError(404, "RepoNotFound", "Repository not found: ids are `namespace/name` here."))
    message = f"The local Hub has no {request.method} {request.scope['path']}"
    return _reply(ApiError(min(error.status_code, 499), "NotSupported", message))


async def _unstorable(request: Request, error: Exception) -> JSONResponse:
    return _reply(ApiError(400, "BadRequest", f"A value cannot be stored: {error}"))


async def _gone(request: Request, error: Exception) -> Response:
    """The client left while it was sending; nobody reads this."""
    return Response(status_code=400)


async def _disk(request: Request, error: Exception) -> JSONResponse:
    """A full disk is 413: the clients would retry 507. Anything else is a defect and stays a 500."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if not full and "full" not in str(error):
        raise error
    folder = request.app.state.store.folder
    return _reply(ApiError(413, "StorageFull", f"No space left in {folder}: free some, retry."))
