"""A stand-in for the demo's server: real HTTP, the page's own files, answers that a test scripts.

python -m tests.space.page_server 7860
"""

from __future__ import annotations

import argparse
import html
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from tests.space.page_script import ARGUMENTS, KINDS, Script, events

PAGE = Path(__file__).parent.parent.parent / "space" / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'"
)
FEEDBACK = {"kind", "product", "values", "line", "edited", "others", "lang"}


class Desk:
    """A running stand-in: its address, and the script that it follows."""

    def __init__(self, script: Script, url: str = "") -> None:
        self.script, self.url = script, url


def make_app(desk: Desk) -> FastAPI:
    """The routes of the demo's server that the page calls."""
    app = FastAPI()
    app.mount("/page", StaticFiles(directory=PAGE))
    add_page(app)
    add_write(app, desk)

    @app.get("/status")
    def status() -> dict[str, Any]:
        return desk.script.status()

    @app.post("/stop")
    async def stop(request: Request) -> Response:
        desk.script.stopped.append((await request.json())["job"])
        return Response(status_code=204)

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        said = await request.json()
        if said.keys() != FEEDBACK:
            return JSONResponse({"message": f"not what /feedback takes: {sorted(said)}"}, 422)
        if desk.script.refuse_feedback:
            return JSONResponse({"message": desk.script.refuse_feedback}, 429)
        desk.script.told.append(said)
        return Response(status_code=204)

    return app


def add_page(app: FastAPI) -> None:
    """Serve the page as the real server fills it in."""

    @app.get("/")
    def page(request: Request) -> HTMLResponse:
        wanted = request.query_params.get("lang") or request.headers.get("accept-language", "ko")
        text = (PAGE / "index.html").read_text(encoding="utf-8")
        words = {"lang": "en" if wanted.startswith("en") else "ko", "title": "한 줄", "description": "한 줄 광고 카피"}
        for name, word in words.items():
            text = text.replace(f"{{{{{name}}}}}", html.escape(word))
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})


def add_write(app: FastAPI, desk: Desk) -> None:
    """Gradio's two steps: a call gets a number, the number gets a stream."""
    jobs: dict[str, dict[str, Any]] = {}

    @app.post("/gradio_api/call/write")
    async def call(request: Request) -> Response:
        if desk.script.trouble == "full":
            return JSONResponse({"detail": "Queue is full."}, 503)
        if desk.script.trouble == "broken":
            return Response("Internal Server Error", 500)
        data = (await request.json())["data"]
        if len(data) != len(ARGUMENTS) or not all(map(isinstance, data, KINDS)):
            return JSONResponse({"message": f"not what /write takes: {data}"}, 422)
        event_id = uuid4().hex
        jobs[event_id] = dict(zip(ARGUMENTS, data, strict=True))
        desk.script.asked.append(jobs[event_id].copy())
        return JSONResponse({"event_id": event_id})

    @app.get("/gradio_api/call/write/{event_id}")
    def stream(event_id: str) -> StreamingResponse:
        return StreamingResponse(events(desk.script, jobs.pop(event_id)), media_type="text/event-stream")


@contextmanager
def serving(port: int) -> Iterator[Desk]:
    """A running server."""
    desk = Desk(Script(), f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(make_app(desk), port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError(f"port {port} is taken")
        time.sleep(0.01)
    try:
        yield desk
    finally:
        desk.script.go.set()
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.space.page_server", description=__doc__)
    parser.add_argument("port", type=int)
    uvicorn.run(make_app(Desk(Script(delay=0.6))), port=parser.parse_args().port, log_level="warning")
