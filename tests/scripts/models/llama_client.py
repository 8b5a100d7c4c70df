"""What tests ask a served llama.cpp."""

from __future__ import annotations

from typing import Any

import httpx

CHAT = [{"role": "user", "content": "상품: 향초\n가치: 차분한"}]


def ask(base_url: str, chat: Any = CHAT, **fields: Any) -> dict[str, Any]:
    body = {"model": "embedded", "messages": chat, "max_tokens": 8, **fields}
    answer = httpx.post(f"{base_url}/chat/completions", json=body, timeout=120, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def lines(answer: dict[str, Any]) -> list[str]:
    return [choice["message"]["content"] for choice in answer["choices"]]


def top_token(base_url: str, chat: Any) -> tuple[int, float]:
    """Id and log-probability of the likeliest first token."""
    answer = ask(base_url, chat, max_tokens=1, temperature=0, logprobs=True, top_logprobs=1)
    first = answer["choices"][0]["logprobs"]["content"][0]
    return first["id"], first["logprob"]
