"""What the loopback server answers: lines of plain Korean words, each a function of the request body alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

#: 256 of them, so that a byte picks one. None is, holds or conjugates a word of the taxonomy: `leak` finds nothing.
WORDS = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()
#: Syllables of a line, both ends allowed.
SHORTEST, LONGEST = 12, 30
#: What makes a line break a rule: the filter `format` rejects both.
BLEMISHES = (" 🎉", " #추천")
#: Content of an answer that carries no line.
GARBAGE = ('{"copies": [', "", "asdf")


def digest(body: bytes, *parts: int) -> bytes:
    """64 bytes from a body, and from which choice and line of it."""
    return blake2b(body, person=bytes(parts)).digest()


def share(drawn: bytes) -> float:
    """A number in (0, 1) from eight bytes."""
    return (int.from_bytes(drawn, "big") + 0.5) / 2**64


def write_line(drawn: bytes, accept: float) -> str:
    """The line of a digest: 12 to 30 syllables, with a blemish in the share of 1 - accept."""
    room = SHORTEST + 4 + drawn[8] % (LONGEST - SHORTEST - 3)  # the longest word has 4, and the last may not fit
    words: list[str] = []
    for word in (WORDS[byte] for byte in drawn[9:]):
        room -= len(word)
        if room < 0:
            break
        words.append(word)
    blemish = BLEMISHES[drawn[8] % 2] if share(drawn[:8]) >= accept else ""
    return " ".join(words) + blemish


def contents(raw: bytes, body: Mapping[str, Any], accept: float) -> list[str]:
    """The content of each choice: a line, or JSON with `copies` where the request has a schema."""
    wanted = lines_wanted(body)
    seed = digest(raw)
    choices = [
        [write_line(digest(seed, choice, number), accept) for number in range(wanted or 1)]
        for choice in range(body.get("n") or 1)
    ]
    if wanted is None:
        return [lines[0] for lines in choices]
    return [json.dumps({"copies": lines}, ensure_ascii=False) for lines in choices]


def lines_wanted(body: Mapping[str, Any]) -> int | None:
    """Lines a choice must have by the request's JSON schema, or None if it has no schema.

    One if there are several choices; else what `maxItems`, `minItems` or the description of `copies` says, or one.
    """
    format = body.get("response_format") or {}
    if format.get("type") != "json_schema":
        return None
    if (body.get("n") or 1) > 1:
        return 1
    copies = format["json_schema"]["schema"].get("properties", {}).get("copies", {})
    named = re.search(r"\d+", copies.get("description", ""))
    return int(copies.get("maxItems") or copies.get("minItems") or (named.group() if named else 1))


def completion(body: Mapping[str, Any], texts: Sequence[str]) -> bytes:
    """The answer in OpenAI's form; a character counts as a token."""
    prompt = sum(len(message["content"]) for message in body["messages"])
    written = sum(map(len, texts))
    choices = [
        {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": body.get("model", "")}
    return json.dumps({**answer, "choices": choices, "usage": usage}).encode()
