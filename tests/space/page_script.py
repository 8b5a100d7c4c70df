"""What the page's stand-in server does, as a test tells it: its status, and the events of a job."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

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

MESSAGES = {
    "ready": {"ko": "", "en": ""},
    "loading": {
        "ko": "모델을 불러오는 중입니다(2단계 가운데 1단계, 기반 모델). 먼저 눌러 두시면 준비되는 대로 씁니다.",
        "en": "The model is loading (step 1 of 2, base model). Ask now and the lines come as soon as it is there.",
    },
    "problem": {"ko": "모델을 불러오지 못했습니다.", "en": "The model could not be loaded."},
}
ARGUMENTS = ("product", "values", "count", "temperature", "device", "tone", "base", "like", "lang", "visit", "job")
KINDS = (str, list, int, (int, float), str, str, bool, str, str, str, str)

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

    def status(self) -> dict[str, Any]:
        """What `/status` says."""
        return {
            "state": self.state,
            "message": MESSAGES[self.state],
            "engine": "llama.cpp",
            "can_compare": self.can_compare,
            "feedback": self.feedback,
            "fields": list(self.fields),
            "limits": LIMITS,
            "footer": FOOTER,
            "warning": self.warning,
            "examples": EXAMPLES,
        }


async def events(script: Script, asked: dict[str, Any]) -> AsyncIterator[str]:
    """What Gradio sends for one job: a snapshot at a time, the last one twice."""
    snapshot: dict[str, Any] = {
        **{
            "state": "waiting",
            "message": "",
            "ahead": script.ahead,
            "lines": [],
            "asked": asked["count"],
            "written": 0,
        },
        **{"dropped": {}, "base": asked["base"]},
    }
    async for change in changes(script, asked):
        if isinstance(change, str):
            yield change
            continue
        snapshot |= change
        yield said("generating", [snapshot])
    if snapshot["state"] in ("done", "problem"):
        yield said("complete", [snapshot])


async def changes(script: Script, asked: dict[str, Any]) -> AsyncIterator[dict[str, Any] | str]:
    """What becomes of a job, one change of its snapshot at a time; a string is sent as it is."""
    if fault := fault_of(asked):
        yield {"state": "problem", "message": fault, "asked": 0}
        return
    while script.state == "loading":
        yield {"state": "loading", "message": "모델을 불러오는 중입니다. 준비되는 대로 씁니다."}
        await asyncio.sleep(0.05)
    while script.ahead:
        yield {"state": "waiting", "ahead": script.ahead}
        await asyncio.sleep(0.05)
    texts = (BASE_COPY if asked["base"] else script.lines)[: asked["count"]]
    lines: list[dict[str, str]] = []
    for number, text in enumerate(texts):
        yield {"state": "writing", "ahead": 0}
        await asyncio.sleep(script.delay)
        while script.hold_after == number and not script.go.is_set():
            if script.trouble == "silent":
                await asyncio.sleep(3600)
            if script.trouble:
                yield TROUBLES[script.trouble]
                return
            yield HEARTBEAT
            await asyncio.sleep(0.02)
        lines.append({"id": f"line-{number}", "text": text})
        yield {"lines": lines, "written": 3 * len(lines), "dropped": REASONS}
    few = f"후보 가운데 보여 드릴 만한 카피는 {len(texts)}개였습니다."
    yield {"state": "done", "message": few if len(texts) < asked["count"] else ""}


def said(event: str, data: Any) -> str:
    return f"event: {event}\ndata: {json.dumps(data)}\n\n"


def fault_of(asked: dict[str, Any]) -> str:
    """What the real server would say to a request that the page should not have sent."""
    if not 1 <= len(asked["product"].strip()) <= LIMITS["product"]:
        return "상품을 적어 주세요."
    if not 1 <= len(asked["values"]) <= LIMITS["values"] or max(map(len, asked["values"])) > LIMITS["value"]:
        return "담을 가치를 하나 이상 적어 주세요."
    for name in ("count", "temperature"):
        low, high = LIMITS[name]
        if not low <= asked[name] <= high:
            return f"{name}: {low}에서 {high} 사이로 골라 주세요."
    return ""


HEARTBEAT = said("heartbeat", None)
#: What a job says last when it goes wrong; a stream that is cut says nothing.
TROUBLES: dict[str, dict[str, Any] | str] = {
    "problem": {"state": "problem", "message": "오늘 쓸 수 있는 GPU 시간을 다 썼습니다.", "lines": []},
    "error": said("error", {"error": None}),
    "cut": HEARTBEAT,
}
