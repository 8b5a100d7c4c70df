"""Reads a model's answer: the JSON that was asked for, or whatever a model without structured output makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.endpoint.answers.thoughts import without_thoughts
from pipelines.text.frames import HANGUL
from pipelines.text.plain_answers import lines_in, one_copy

#: Name of the list in the JSON object that is asked for.
LIST = "copies"
#: What models call a line where they make an object of each.
LINE_NAMES = ("copy", "ad_copy", "line", "text", "content", "카피", "문구", "슬로건")
#: Tokens of an answer in JSON beside those of its lines, at most: for each line, and once.
JSON_TOKENS_PER_LINE, JSON_TOKENS = 12, 32
FENCE = re.compile(r"^\s*```\w*\s*|```\s*$")
#: JSON that was begun; nothing in it is a line of text.
JSON_BEGUN = re.compile(r"\{|\[\s*(?:[\"'“‘{\[]|$)")
#: An item of a list in other quotes than those of JSON.
LOOSE_ITEM = re.compile(r"['‘“]((?:[^'’”\\\n]|\\.)+)['’”]\s*[,\]}]")
#: Names of lines that are no items of a list, e.g. copy_1.
LINE_NAME = re.compile(rf"(?:{'|'.join((LIST, *LINE_NAMES))})(?:[ _-]?\d{{1,2}})?|\d{{1,2}}", re.I)
#: A page or an error in place of an answer.
NO_ANSWER = re.compile(r"\s*(?:<(?:!doctype|html|head|\?xml)\b|\{\s*\"(?:errors?|detail)\"\s*:)", re.I)
#: Places at which JSON may begin that are tried, at most.
STARTS = 50
#: "Cannot", as the end of a sentence: 멈출 수 없는 한 입 is no refusal.
_CANNOT = r"(?:수(?:가|는|도)?\s?없(?:습니다|어요|네요|음)|어렵습니다|어려워요|힘듭니다|않습니다|못\s?합니다)"
#: What a model would have done, said as one who serves.
_SERVE = r"(?:도와\s?드릴|도움을 드릴|들어\s?드릴|응할|(?:작성|생성|제공|처리|수행)(?:할|해\s?(?:드릴|줄|드리기)))"
REFUSAL = re.compile(
    rf"^(?:정말\s)?(?:죄송|미안)(?:합니다|하지만|해요).{{0,80}}{_CANNOT}|{_SERVE}\s?{_CANNOT}"
    r"|\bI(?:['’]m| am) sorry\b|\bI (?:can(?:no|['’])t|am unable to|won['’]t)\b|\bAs an AI\b",
    re.I | re.S,
)


@dataclass(frozen=True)
class Form:
    """How one answer holds several texts.

    Attributes:
        read: takes them out of it; none where the answer is garbage.
        response_format: asks for it, where the endpoint offers structured output.
        max_new_tokens: of the whole answer.
    """

    read: Callable[[str], list[str]]
    response_format: dict[str, Any]
    max_new_tokens: int


def lines_form(lines: int, max_new_tokens: int) -> Form:
    """A JSON object with so many lines of copy.

    Args:
        max_new_tokens: of one line.
    """
    return Form(lines_of, schema_of(lines), (max_new_tokens + JSON_TOKENS_PER_LINE) * lines + JSON_TOKENS)


def schema_of(lines: int) -> dict[str, Any]:
    """The `response_format` that asks for so many lines, within what strict structured output allows."""
    items = {"type": "array", "items": {"type": "string"}, "description": f"서로 다른 카피 {lines}개"}
    schema = {"type": "object", "properties": {LIST: items}, "required": [LIST], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": LIST, "strict": True, "schema": schema}}


def lines_of(answer: str) -> list[str]:
    """The lines of copy in an answer, different from each other, in order; none if the answer is garbage.

    JSON anywhere in the answer wins (fenced, with words around it, cut off after some items); else each line of text
    with Hangul counts. What surrounds a line comes off, and what holds none is left out: see `pipelines.text.frames`.
    """
    text = _unwrapped(answer)
    if NO_ANSWER.match(text):
        return []
    items = _from_json(text)
    if items is None and JSON_BEGUN.match(text):
        items = LOOSE_ITEM.findall(text)
    lines = lines_in(text) if items is None else map(one_copy, items)
    return list(dict.fromkeys(storable(line) for line in lines if HANGUL.search(line)))


def storable(text: str) -> str:
    """The text with U+FFFD for half a surrogate pair, which Parquet cannot hold; the filter `script` sees that."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def is_refusal(answer: str) -> bool:
    """Whether a model said in words that it will not write; lines in JSON are never a refusal."""
    text = _unwrapped(answer)
    return bool(REFUSAL.search(text)) and _from_json(text) is None


def _unwrapped(answer: str) -> str:
    return FENCE.sub("", without_thoughts(answer).strip()).strip()


def _from_json(text: str) -> list[str] | None:
    """Strings of the first JSON that has some, else those of a list that was cut off. None without JSON."""
    starts = [match.start() for match in re.finditer(r"[\[{]", text)][:STARTS]
    for read in (_whole, _cut_off):
        for start in starts:
            if strings := [string for value in read(text[start:]) for string in _strings(value)]:
                return strings
    return None


def _whole(text: str) -> list[Any]:
    """The value that a text begins with, and those that follow at once, as in JSON Lines."""
    values: list[Any] = []
    while text[:1] in ("{", "["):
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):  # also of numbers too long to be read
            break
        values.append(value)
        text = text[end:].lstrip(" \t\r\n,")
    return values


def _cut_off(text: str) -> list[list[str]]:
    """The items of a list that lacks its end, as when the answer ran into `max_tokens`: the last item is not whole."""
    items = re.findall(r'"((?:[^"\\]|\\.)*)"\s*,', text)
    try:
        return [[json.loads(f'"{item}"') for item in items]]
    except ValueError:
        return []


def _strings(value: Any) -> Iterator[str]:
    """Strings in lists, however deep: {"copies": [...]}, [...], [{"copy": "...", "tone": "..."}], {"copy_1": "..."}."""
    if isinstance(value, list):
        for item in value:
            line = _line(item) if isinstance(item, dict) else item
            if isinstance(line, str):
                yield line.strip()
    elif isinstance(value, dict):
        named = [item for name, item in value.items() if LINE_NAME.fullmatch(name)]
        for item in named or value.values():
            yield from [item.strip()] if named and isinstance(item, str) else _strings(item)


def _line(item: dict[str, Any]) -> Any:
    """The line among the fields of an object: by its name, or the only text there is."""
    texts = {name: text for name, text in item.items() if isinstance(text, str)}
    named = [texts[name] for name in LINE_NAMES if name in texts]
    return named[0] if named else next(iter(texts.values())) if len(texts) == 1 else None
