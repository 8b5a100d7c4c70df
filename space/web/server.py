"""The server: our own page in front of Gradio's queue, API and MCP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from gradio import Server
from messages import text
from settings import Settings
from writer import Writer

from web.calls import Refusal
from web.endpoints import add_endpoints
from web.guard import Guard
from web.routes import add_actions, add_page, add_status
from web.tool import adapt

if TYPE_CHECKING:
    from feedback import Feedback

SESSIONS = 100  # whose state Gradio keeps; ours keep none


def build(settings: Settings, writer: Writer, feedback: Feedback, page: Path) -> Server:
    """The server, not launched.

    Args:
        page: folder of `index.html` and what belongs to it.
    """
    server = Server(title=settings.title, docs_url=None, redoc_url=None, openapi_url=None)
    add_page(server, page, settings.title)
    add_status(server, settings, writer, feedback)
    add_actions(server, writer, feedback)
    endpoints = add_endpoints(server, writer)
    server.add_middleware(
        Guard,
        endpoints=endpoints,
        is_open=lambda name: name in server.get_blocks()._queue.pending_messages_per_session,
    )

    @server.exception_handler(Refusal)
    async def refuse(asked: Request, refusal: Refusal) -> Response:
        return JSONResponse({"message": refusal.sentence}, refusal.status)

    @server.exception_handler(RequestValidationError)
    async def malformed(asked: Request, error: RequestValidationError) -> Response:
        return JSONResponse({"message": text("malformed", "ko")}, 422)

    return server


def launch(server: Server) -> str:
    """Serve; GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and GRADIO_ROOT_PATH say where.

    Returns:
        Its address.
    """

    @asynccontextmanager
    async def started(app: Server) -> AsyncIterator[None]:
        adapt(app.get_blocks().mcp_server_obj)
        yield

    _, address, _ = server.launch(
        prevent_thread_lock=True,
        mcp_server=True,
        app_kwargs={"lifespan": started},
        state_session_capacity=SESSIONS,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        quiet=True,
    )
    return str(address).rstrip("/")
