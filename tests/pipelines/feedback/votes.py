"""Votes as a feedback dataset has them."""

from __future__ import annotations

from typing import Any

GOOD = "장마는 창밖에서만"
BETTER = "빨래가 먼저 반기는 집"
FLAT = "거실 공기가 가벼워지는 하루"
LEAKING = "제습기 하나로 보송한 집"


def vote(kind: str, line: str, edited: str = "", **columns: Any) -> dict[str, Any]:
    return {
        "id": "0" * 32,
        "day": "2026-11-28",
        "kind": kind,
        "product": "제습기",
        "values": ["보송한", "조용한"],
        "line": line,
        "edited": edited,
        "others": [],
        "adapter": "local/copywriter",
        "revision": "0" * 40,
        "engine": "llama.cpp",
        "lang": "ko",
        "page": "v1",
    } | columns
