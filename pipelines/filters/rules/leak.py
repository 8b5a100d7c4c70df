"""`leak`: the line says the product or the value instead of making it felt.

What is said is the product or a value letter by letter, however they are spaced; a noun of which the product's name is
made (시계 or 알람 for 알람 시계, 펀치 for 펀치백, 스키 for 스키장), unless it is one of `generic_words.yaml`, which
stand in names of all kinds (서비스, 휴대용); or all that a value consists of, in any conjugation (혁신 for 혁신적인,
빨라서 for 빠른, 스타일 for 스타일리시한). Nouns of one syllable stand in half of all lines by chance: only the one that
ends the name counts, where it is a noun in the line, too (옷 for 아기 옷).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.text import morphemes

REASON = Reason(
    "leak",
    "상품·가치 노출",
    "상품이나 가치를 느끼게 하지 않고 그 낱말을 그대로 말했습니다.",
    "Says the product or a value instead of making it felt.",
)

GENERIC_WORDS = Path(__file__).parent / "generic_words.yaml"
WORD = re.compile(r"[^\W_]+")
#: Last syllables that make a noun of another: 스키장, 충전기, 등산화. Kiwi has most of these as one word.
SUFFIXES = "기장관복화실제점소계회과"
#: Nouns of one syllable by which a compound that Kiwi has as one word is called, too: 책 for 전자책, not for 산책.
HEAD = re.compile("(?:.옷|.빵|.떡|[^산정대]책)$")
#: Last syllables of a word that is no noun: 휴대용, 구워 먹는.
ENDINGS = "용는은운한된의"


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`product 커피`, `part 시계`, `value 조용한`, `stem 조용`, or None."""
    line, product = row["ad_copy"], row["product"]
    if _says(line, product, noun=True):
        return f"product {product}"
    for part in _parts(product):
        if _says(line, part, noun=True) if len(part) > 1 else morphemes.stands_alone(line, part):
            return f"part {part}"
    for value in row["values"]:
        if _says(line, value, noun=False):
            return f"value {value}"
        if found := _held(line, value):
            return f"stem {found}"
    return None


def _held(line: str, value: str) -> str:
    """The stems of a value where a line holds all of them: 아침 alone does not say 바쁜 아침."""
    stems = morphemes.stems(value)
    if stems and all(morphemes.holds(line, stem, verb) for stem, verb in stems):
        return " ".join(stem for stem, _ in stems)
    return ""


@cache
def _parts(product: str) -> tuple[str, ...]:
    """The words and nouns of which a product's name is made and that tell it; generic ones where it has no others.

    Examples:
        `영화 촬영지 투어` -> 영화, 촬영지; `여행용 펀치백` -> 펀치백, 펀치, 백; `아기 옷` -> 옷; `충전기` -> 충전;
        `전자책 플랫폼` -> 전자책, 책.
    """
    words = WORD.findall(product)
    last = next((word for word in reversed(words) if word not in generic_words()), "")
    parts: dict[str, None] = {}
    for word in words:
        tokens = [token for token in morphemes.tokens(word) if token[1] in morphemes.NOMINAL]
        nouns = [form for form, _, _ in tokens if len(form) > 1]
        nouns += [noun[:-1] for noun in nouns if len(noun) > 2 and noun[-1] in SUFFIXES]
        if tokens and word == words[-1] and tokens[-1][2] + len(tokens[-1][0]) == len(word):
            nouns.append(tokens[-1][0])
        if word == last and HEAD.search(word):
            nouns.append(word[-1])
        parts |= dict.fromkeys([word, *nouns] if len(word) > 1 and word[-1] not in ENDINGS else nouns)
    parts.pop(product, None)
    telling = tuple(part for part in parts if part not in generic_words())
    return telling or tuple(part for part in parts if len(part) > 1)


@cache
def generic_words() -> frozenset[str]:
    """Words that stand in the names of products of all kinds."""
    return frozenset(yaml.safe_load(GENERIC_WORDS.read_text(encoding="utf-8")).split())


def _says(line: str, words: str, *, noun: bool) -> bool:
    """Whether a line holds the words letter by letter, however they are spaced."""
    for match in _spelled(words).finditer(line):
        extra_space = match.group().count(" ") > words.count(" ")
        if extra_space and match.start() > 0 and line[match.start() - 1] != " ":
            continue  # 마치 약속 is not 치약
        short = len(words) == 1 or (noun and len(words) == 2)
        if not short or morphemes.is_noun(line, *match.span()):
            return True
    return False


@cache
def _spelled(words: str) -> re.Pattern[str]:
    return re.compile(r"\s?".join(re.escape(letter) for letter in words if not letter.isspace()), re.I)
