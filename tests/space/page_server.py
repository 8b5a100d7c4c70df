"""A stand-in for the demo's server: real HTTP, the page's own files, answers that a test scripts.

python -m tests.space.page_server 7860
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

PAGE = Path(__file__).parent.parent.parent / "space" / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'"
)
LIMITS: dict[str, Any] = {"product": 40, "value": 20, "values": 5, "count": [1, 8], "temperature": [0.1, 1.5]}
REASONS = {"leak": 4, "template": 2}
COPY = [
    "젖은 마음까지 말려 드립니다",
    "장마는 창밖에서만 머뭅니다",
    "오늘 집 안 날씨, 맑음",
    "빨래가 먼저 웃는 아침",
    "눅눅한 하루에 마침표를",
    "물기를 덜어 낸 자리, 숨이 놓입니다",
    "비 오는 날에도 이불은 햇볕 냄새",
    "보송한 양말이 현관에서 기다립니다",
]
BASE_COPY = [
    "우리 집의 특별한 선택",
    "당신을 위한 좋은 제품",
    "더 나은 내일의 시작",
    "함께하면 좋아요",
    "언제나 새로운 오늘",
]
EXAMPLES = [
    {
        "product": "제습기",
        "values": ["뽀송함", "여유"],
        "en": {"product": "dehumidifier", "values": ["freshness", "ease"]},
    },
    {"product": "새벽 배송 반찬", "values": ["정성", "느긋한 아침"]},
    {"product": "러닝화", "values": ["가벼움", "꾸준함"]},
    {"product": "독립 서점", "values": ["발견", "고요"]},
]
FOOTER = {
    "adapter": {"name": "hanjul/copy-lora@0123456", "url": "https://huggingface.co/hanjul/copy-lora"},
    "base_model": {"name": "google/gemma-3-270m", "url": "https://huggingface.co/google/gemma-3-270m"},
    "dataset": None,
}

#: How a job goes wrong: Gradio's error event, a stream that breaks off, one that falls silent, a server that is full or
#: broken.
Trouble = Literal["", "problem", "error", "cut", "silent", "full", "broken"]


@dataclass
class Script:
    """What the server does next, and what it has been asked. A test changes the first and reads the second."""

    state: str = "ready"
    feedback: bool = True
    can_compare: bool = True
    fields: tuple[str, ...] = ()
    warning: dict[str, str] | None = None
    ahead: int = 0
    delay: float = 0.02  # seconds before each line
    hold_after: int | None = None  # lines after which a job waits for `go`
    lines: list[str] = field(default_factory=lambda: list(COPY))
    trouble: Trouble = ""
    refuse_feedback: str = ""  # the sentence of the 4xx
    asked: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)


ARGUMENTS = ("product", "values", "count", "temperature", "device", "tone", "base", "like", "lang", "visit", "job")
KINDS = (str, list, int, (int, float), str, str, bool, str, str, str, str)


class Desk:
    """A running stand-in: its address, and the script that it follows."""

    def __init__(self, script: Script, url: str = "") -> None:
        self.script, self.url = script, url


def make_app(desk: Desk) -> FastAPI:
    """The routes of the demo's server that the page calls."""
    app, jobs = FastAPI(), dict[str, dict[str, Any]]()
    app.mount("/page", StaticFiles(directory=PAGE))

    @app.get("/")
    def page(request: Request) -> HTMLResponse:
        wanted = request.query_params.get("lang") or request.headers.get("accept-language", "ko")
        words = {
            "lang": "en" if wanted.startswith("en") else "ko",
            "title": "한 줄",
            "description": "상품과 담을 가치를 적으면 한 줄 광고 카피를 씁니다.",
        }
        text = (PAGE / "index.html").read_text(encoding="utf-8")
        for name, word in words.items():
            text = text.replace(f"{{{{{name}}}}}", html.escape(word))
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})

    @app.get("/status")
    def status() -> dict[str, Any]:
        messages = {
            "ready": {"ko": "", "en": ""},
            "loading": {
                "ko": "모델을 불러오는 중입니다(2단계 가운데 1단계, 기반 모델). 먼저 눌러 두시면 준비되는 대로 씁니다.",
                "en": "The model is loading (step 1 of 2, base model). Press already: it writes as soon as it is ready.",
            },
            "problem": {"ko": "모델을 불러오지 못했습니다.", "en": "The model could not be loaded."},
        }
        return {
            **{
                "state": desk.script.state,
                "message": messages[desk.script.state],
                "engine": "llama.cpp",
                "limits": LIMITS,
            },
            **{
                "can_compare": desk.script.can_compare,
                "feedback": desk.script.feedback,
                "fields": list(desk.script.fields),
            },
            **{"footer": FOOTER, "warning": desk.script.warning, "examples": EXAMPLES},
        }

    @app.post("/gradio_api/call/write")
    async def call(request: Request) -> Response:
        if desk.script.trouble == "full":
            return JSONResponse({"detail": "Queue is full."}, 503)
        if desk.script.trouble == "broken":
            return Response("Internal Server Error", 500)
        data = (await request.json())["data"]
        if len(data) != len(ARGUMENTS) or not all(map(isinstance, data, KINDS)):
            return JSONResponse({"message": f"not what /write takes: {data}"}, 422)
        asked = dict(zip(ARGUMENTS, data, strict=True))
        desk.script.asked.append(asked)
        event_id = uuid4().hex
        jobs[event_id] = asked
        return JSONResponse({"event_id": event_id})

    @app.get("/gradio_api/call/write/{event_id}")
    def stream(event_id: str) -> StreamingResponse:
        return StreamingResponse(events(desk.script, jobs.pop(event_id)), media_type="text/event-stream")

    @app.post("/stop")
    async def stop(request: Request) -> Response:
        desk.script.stopped.append((await request.json())["job"])
        return Response(status_code=204)

    @app.post("/feedback")
    async def feedback(request: Request) -> Response:
        said = await request.json()
        if set(said) != {"kind", "product", "values", "line", "edited", "others", "lang"}:
            return JSONResponse({"message": f"not what /feedback takes: {sorted(said)}"}, 422)
        if desk.script.refuse_feedback:
            return JSONResponse({"message": desk.script.refuse_feedback}, 429)
        desk.script.told.append(said)
        return Response(status_code=204)

    return app


async def events(script: Script, asked: dict[str, Any]) -> AsyncIterator[str]:
    """What Gradio sends for one job: a snapshot at a time, the last one twice, errors without a word."""
    snapshot = {
        **{"state": "writing", "message": "", "ahead": 0, "lines": [], "asked": asked["count"], "written": 0},
        **{"dropped": {}, "base": asked["base"]},
    }

    def send(event: str = "generating", **facts: Any) -> str:
        snapshot.update(facts)
        return f"event: {event}\ndata: {json.dumps([snapshot])}\n\n"

    if fault := fault_of(asked):
        yield send(state="problem", message=fault)
        yield send("complete")
        return
    while script.state == "loading":
        yield send(state="loading", message="모델을 불러오는 중입니다. 준비되는 대로 씁니다.")
        await asyncio.sleep(0.05)
    while script.ahead:
        yield send(state="waiting", ahead=script.ahead)
        await asyncio.sleep(0.05)
    yield send(state="writing", ahead=0)
    texts = BASE_COPY if asked["base"] else script.lines
    for number, text in enumerate(texts[: asked["count"]]):
        await asyncio.sleep(script.delay)
        while script.hold_after == number and not script.go.is_set():
            yield "event: heartbeat\ndata: null\n\n"
            if script.trouble == "silent":
                await asyncio.sleep(3600)
            if script.trouble == "cut":
                return
            if script.trouble == "error":
                yield 'event: error\ndata: {"error": null}\n\n'
                return
            if script.trouble == "problem":
                yield send(state="problem", message="오늘 쓸 수 있는 GPU 시간을 다 썼습니다.", lines=[])
                yield send("complete")
                return
            await asyncio.sleep(0.02)
        lines = [*snapshot["lines"], {"id": str(number), "text": text}]
        yield send(lines=lines, written=3 * len(lines), dropped=REASONS)
    few = len(snapshot["lines"]) < asked["count"]
    message = f"후보 가운데 보여 드릴 만한 카피는 {len(snapshot['lines'])}개였습니다." if few else ""
    yield send(state="done", message=message)
    yield send("complete")


def fault_of(asked: dict[str, Any]) -> str:
    """What the real server would say to a request that the page should not have sent."""
    if not asked["product"].strip() or len(asked["product"]) > LIMITS["product"]:
        return "상품을 적어 주세요."
    if not 1 <= len(asked["values"]) <= LIMITS["values"] or any(
        len(value) > LIMITS["value"] for value in asked["values"]
    ):
        return "담을 가치를 하나 이상 적어 주세요."
    for name in ("count", "temperature"):
        low, high = LIMITS[name]
        if not low <= asked[name] <= high:
            return f"{name}: {low}에서 {high} 사이로 골라 주세요."
    return ""


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
