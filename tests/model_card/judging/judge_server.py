"""A loopback endpoint whose model judges: it answers in JSON, a digit among it, with probabilities as OpenAI has them.

It refuses what the real one refuses, and what an endpoint refuses or ignores that knows no `logprobs`.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.pipelines.endpoint.teacher_server import Raw, Reset, completion, serve

#: What an endpoint does with `logprobs`: as OpenAI, at most 5 alternatives, a bad request, one that does not say why,
#: forbidden, nothing.
Logprobs = Literal["served", "few", "refused", "unnamed", "forbidden", "ignored"]
Weights = Mapping[int, float]
REASON = "비를 먼저 떠올리게 해서 상품이 또렷하다."
#: An answer without a score.
GARBAGE = "좋은 카피입니다."
MOST, FEW = 20, 5


@dataclass(frozen=True)
class Endpoint:
    """An address up to and with `/v1`, and the bodies of the requests that were good."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def judging(
    opinion: Callable[[str], Weights | str | tuple[int, str] | Raw | Reset],
    *,
    logprobs: Logprobs = "served",
    reason: str = REASON,
) -> Iterator[Endpoint]:
    """Serve until the block ends.

    Args:
        opinion: prompt -> how likely each digit is, or the whole answer, or what `teacher_server.serve` takes instead.
            The digit of an answer is the likeliest one at temperature 0, else drawn by the seed.
        reason: what stands beside the digit.
    """

    requests: list[dict[str, Any]] = []

    def write(body: dict[str, Any], number: int) -> Any:
        if complaint := _complaint(body, logprobs):
            return complaint
        requests.append(body)
        said = opinion(body["messages"][0]["content"])
        if isinstance(said, tuple | Raw | Reset):
            return said
        weighed = bool(body.get("logprobs")) and logprobs != "ignored"
        return answer(body, said, weighed, reason)

    with serve(write) as endpoint:
        yield Endpoint(endpoint.url, requests)


def answer(body: dict[str, Any], said: Weights | str, weighed: bool, reason: str = REASON) -> Raw:
    """One completion, in OpenAI's form."""
    prompt = body["messages"][0]["content"]
    weights = {} if isinstance(said, str) else said
    text = said if isinstance(said, str) else _json(prompt, _drawn(body, weights), reason)
    found = completion(body, [text])
    found["choices"][0]["logprobs"] = None
    if weighed:
        found["choices"][0]["logprobs"] = {"content": _tokens(text, weights, body["top_logprobs"]), "refusal": None}
    return Raw(found)


def _json(prompt: str, digit: int, reason: str) -> str:
    field = "better" if '"better"' in prompt else "score"
    return json.dumps({"reason": reason, field: digit}, ensure_ascii=False)


def _drawn(body: dict[str, Any], weights: Weights) -> int:
    if not body["temperature"]:
        return max(weights, key=lambda digit: weights[digit])
    draw = random.Random(f"{body['seed']} {body['messages'][0]['content']}")
    return draw.choices(list(weights), list(weights.values()))[0]


def _tokens(text: str, weights: Weights, most: int) -> list[dict[str, Any]]:
    """Every character a token, a syllable of Hangul two halves of one; the last digit has the weights."""
    last = max((place for place, letter in enumerate(text) if letter.isdecimal()), default=-1)
    tokens = []
    for place, letter in enumerate(text):
        if place == last:
            ranked = sorted(((str(digit), weight) for digit, weight in weights.items()), key=lambda found: -found[1])
            tokens.append({**_token(letter, 0.0), "top_logprobs": [_token(*found) for found in ranked][:most]})
            continue
        spelt = letter.encode()
        for part in [spelt[:2], spelt[2:]] if len(spelt) == 3 else [spelt]:
            tokens.append({**_token(_shown(part), 1.0, part), "top_logprobs": [_token(_shown(part), 1.0, part)]})
    return tokens


def _token(text: str, weight: float, spelt: bytes | None = None) -> dict[str, Any]:
    logprob = math.log(weight) if weight else -9999.0
    return {"token": text, "logprob": logprob, "bytes": list(spelt or text.encode())}


def _shown(part: bytes) -> str:
    """As OpenAI shows bytes that are no text: escaped."""
    try:
        return part.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in part)


def _complaint(body: dict[str, Any], logprobs: Logprobs) -> tuple[int, str] | None:
    most = {"served": MOST, "few": FEW}.get(logprobs, MOST)
    top = body.get("top_logprobs")
    if "logprobs" not in body and top is not None:
        return 400, "'top_logprobs' requires 'logprobs' to be set to true."
    if "logprobs" in body and not isinstance(body["logprobs"], bool):
        return 400, f"Invalid type for 'logprobs': {body['logprobs']}"
    if "logprobs" in body and logprobs == "refused":
        return 400, "Logprobs is not enabled for this model"
    if "logprobs" in body and logprobs == "unnamed":
        return 400, "Bad request"
    if "logprobs" in body and logprobs == "forbidden":
        return 403, "You are not allowed to request logprobs from this model"
    if top is not None and (not isinstance(top, int) or not 0 <= top <= most):
        return 400, f"Invalid value for 'top_logprobs': must be less than or equal to {most}."
    return None
