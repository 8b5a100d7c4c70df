"""The loopback endpoint as a judge: its answers are JSON with a score, and token probabilities.

`python -m tests.bench.judge.geval_server --port 0` prints its address first and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import math
from functools import cache
from typing import Any

from tests.bench.endpoint.loopback import parse, serve
from tests.bench.endpoint.server import Connection
from tests.pipelines.endpoint.teacher_server import MODEL

REASON = "비 오는 날의 마음을 먼저 꺼내 상품과 가치가 함께 떠오른다."
ALTERNATIVES = 20


class Judging(Connection):
    """Answers with a score that depends on the body."""

    def _finish(self, raw: bytes, seed: bytes, fault: str) -> None:
        self._free()
        self.stats.completed += 1
        self._send(200, answer(seed[0] % 6), count=True)


@cache
def answer(score: int) -> bytes:
    """A completion in OpenAI's form, with twenty alternatives to each token."""
    text = json.dumps({"reason": REASON, "score": score}, ensure_ascii=False)
    content = [
        {**_token(letter, 0), "top_logprobs": [_token(other, rank) for rank, other in enumerate(_others(letter))]}
        for letter in text
    ]
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": content},
    }
    usage = {"prompt_tokens": 900, "completion_tokens": len(text), "total_tokens": 900 + len(text)}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": MODEL}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def _others(letter: str) -> list[str]:
    if letter.isdecimal():
        return [str((int(letter) + step) % 6) for step in range(6)] + [chr(97 + step) for step in range(14)]
    return [letter, *(chr(97 + step) for step in range(ALTERNATIVES - 1))]


def _token(text: str, rank: int) -> dict[str, Any]:
    return {"token": text, "logprob": -math.log(2) * (rank + 1), "bytes": list(text.encode())}


if __name__ == "__main__":
    asyncio.run(serve(parse(), Judging))
