"""Reads what came over the wire: JSON whatever the headers call it, else text, which is named in a few words."""

from __future__ import annotations

import html
import json
import re
from typing import Any

#: Characters of an endpoint's words that are shown.
MOST_CHARS = 300
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
#: Names of Korean encodings, as browsers read them: with the syllables that EUC-KR itself lacks.
_KOREAN = {"euc-kr", "euckr", "ks_c_5601-1987", "ks_c_5601", "ksc5601"}
_PAGE = re.compile(r"\A\s*(?:<!doctype html|<\?xml|<html|<head|<body|<center|<title)", re.I)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1>", re.I | re.S)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.I | re.S)


def decode(content: bytes, content_type: str = "") -> Any:
    """The value of JSON, or a text that is none.

    Args:
        content_type: its `charset` is used where the bytes are not UTF-8, as JSON should be.
    """
    named = _CHARSET.search(content_type)
    charset = named[1].lower() if named else "utf-8"
    text = _text(content, json.detect_encoding(content), "cp949" if charset in _KOREAN else charset)
    if text is None:  # nothing in it is what it seems
        return f"text that is not {charset}: {content.decode('utf-8', 'replace')}"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # also of numbers too long to be read
        return text


def described(value: Any) -> str:
    """What a value is, in words for people: an HTML page by its title, a text by how it begins."""
    if not isinstance(value, str):
        return shortened(json.dumps(value, ensure_ascii=False))
    if not _PAGE.match(value):
        return shortened(value) or "nothing"
    title = _TITLE.search(value)
    words = shortened(html.unescape(_UNSEEN.sub(" ", title[2] if title else value)), 80)
    return f"an HTML page titled “{words}”" if title else f"an HTML page: {words}"


def shortened(text: str, most: int = MOST_CHARS) -> str:
    """A text on one line, cut after so many characters."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[:most].rstrip() + "…"


def _text(content: bytes, *encodings: str) -> str | None:
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except (ValueError, LookupError):  # some codecs that are there raise other errors than that of decoding
            continue
    return None
