"""Visitors of a served Space, as its page asks: `/gradio_api/call/write` and its events."""

from __future__ import annotations

import json
import secrets
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.bench.processes import ROOT

COUNT = 5  # lines that a visitor asks for
PATIENCE_S = 300


@dataclass(frozen=True)
class Visit:
    """What a visitor saw; `problem` is empty where they were served, be it that no line was good enough to show."""

    first_s: float
    lines: int
    problem: str


def press(address: str, product: str) -> Visit:
    """Ask once and read to the end."""
    started, first = time.perf_counter(), 0.0
    visit, job = secrets.token_hex(8), secrets.token_hex(8)
    data = [product, ["여유"], COUNT, 0.8, "", "", False, "", "ko", visit, job]
    last: dict[str, Any] = {"state": "problem", "message": "no event", "lines": []}
    with httpx2.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
        called = client.post("/gradio_api/call/write", json={"data": data})
        if called.status_code != 200:
            return Visit(0.0, 0, called.text)
        with client.stream("GET", f"/gradio_api/call/write/{called.json()['event_id']}") as events:
            for line in events.iter_lines():
                if line.startswith("data: ") and (shown := json.loads(line[6:])):
                    last = shown[0]
                    if last["lines"] and not first:
                        first = time.perf_counter() - started
    served = last["state"] == "done" or last["message"] == nothing_to_show()
    return Visit(first, len(last["lines"]), "" if served else last["message"])


def nothing_to_show() -> str:
    """The page's sentence where all candidates broke a rule."""
    sys.path.insert(0, str(ROOT / "space"))
    from messages import text  # type: ignore[import-not-found]

    sys.path.remove(str(ROOT / "space"))
    return str(text("nothing", "ko"))


def is_ready(address: str) -> bool:
    """Whether the model is loaded.

    Raises:
        RuntimeError: it cannot be.
    """
    status = httpx2.get(f"{address}/status", timeout=10, trust_env=False).json()
    if status["state"] == "problem":
        raise RuntimeError(status["message"]["ko"])
    return bool(status["state"] == "ready")
