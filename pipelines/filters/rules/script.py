"""`script`: the row holds writing that is not plain Korean: Hanja, Kana, stray Latin, loose jamo, broken characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "script",
    "한글 아닌 글자",
    "한자, 가나, 낱자모, 불필요한 로마자, 깨진 글자가 들어 있습니다.",
    "Hanja, kana, loose jamo, stray Latin words or broken characters.",
)

LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+(?:[-&+'’.]?[A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff]+)*")
#: What Korean copy does write in Latin letters: short capitals (AI, TV, USB-C, SPF50), units after a number, Wi-Fi.
INITIALS = re.compile(r"[A-Z][A-Z0-9&+-]{0,4}")
UNIT = re.compile(r"(?:[cmk]?m|k?g|mg|m?[lL]|k?cal|kcal|k?Wh?|[MGT]B|GHz|Hz|dB|mAh|km/h|h|x)")
NAMES = frozenset({"Wi-Fi", "iOS", "e"})
#: Texts of nothing but Hangul, ASCII and line breaks, as most are: no character needs to be looked at by itself.
PLAIN = re.compile(r"[가-힣 -~\n]*")


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """The column and the first character or word that does not belong, or None."""
    columns = [("product", row["product"]), *(("value", value) for value in row["values"]), ("copy", row["ad_copy"])]
    for column, text in columns:
        if found := _foreign(text) or (_stray_latin(text) if column != "product" else None):
            return f"{column}: {found}"
    return None


def _foreign(text: str) -> str | None:
    if PLAIN.fullmatch(text):
        return None
    for character in text:
        if "가" <= character <= "힣" or character.isascii():
            if unicodedata.category(character) == "Cc" and character != "\n":
                return f"control U+{ord(character):04X}"
            continue
        category = unicodedata.category(character)
        if category[0] == "C" or category[0] == "M" or character == "\ufffd":
            return f"broken U+{ord(character):04X}"
        if category[0] == "L" and not LATIN.match(character):
            return f"{_script(character)} {character}"
    return None


def _script(character: str) -> str:
    """The first word of the Unicode name is the script: CJK, HIRAGANA, HANGUL (for jamo), CYRILLIC …"""
    name = unicodedata.name(character, "UNKNOWN").split()[0]
    return {"CJK": "Hanja", "HANGUL": "jamo"}.get(name, name.capitalize())


def _stray_latin(text: str) -> str | None:
    for word in LATIN.finditer(text):
        after_number = word.start() > 0 and text[word.start() - 1].isdigit()
        allowed = INITIALS.fullmatch(word.group()) or word.group() in NAMES
        if not allowed and not (after_number and UNIT.fullmatch(word.group())):
            return f"Latin {word.group()}"
    return None
