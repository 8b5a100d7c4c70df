"""`leak`: the line says the product or the value instead of making it felt.

What is said is the product or a value letter by letter, however they are spaced; what kind of thing the product is
(기름 for 땅콩기름, 시계 for 알람 시계), unless that is a word like 서비스 or 세트 that tells nothing; or all that a
product or a value consists of, in any conjugation (혁신 for 혁신적인, 빨라서 for 빠른). A word of one syllable is
allowed, since 약, 차 and 큰 stand in half of all lines by chance: it counts only where it is the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.text import morphemes

REASON = Reason(
    "leak",
    "상품·가치 노출",
    "상품이나 가치를 느끼게 하지 않고 그 낱말을 그대로 말했습니다.",
    "Says the product or a value instead of making it felt.",
)

#: Last words of products that do not say what the product is.
GENERIC = frozenset(
    """
    가게 강의 강좌 게임 계획 관리 교실 교육 구독 구독권 기계 기구 기기 대여 도구 매장 멤버십 박람회
    배달 사이트 상담 상품 서비스 세트 센터 소프트웨어 솔루션 쇼핑몰 수업 숍 스튜디오 시스템 아카데미 앱
    어플 어플리케이션 온라인 용품 워크숍 워크샵 이용권 자료 장비 장소 장치 전문점 전집 정리 제품 제작
    체험 축제 캠페인 코스 클래스 클럽 키트 타운 툴 투어 패키지 페스티벌 프로그램 플랫폼 학교 학원 행사
    협회 활동 회사 회원권
    """.split()  # noqa: SIM905 - eighty lines otherwise
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`product 커피`, `kind 시계`, `value 조용한`, `stem 조용`, or None."""
    line = row["ad_copy"]
    if _says(line, row["product"], noun=True):
        return f"product {row['product']}"
    if (kind := _kind(row["product"])) and _says(line, kind, noun=True):
        return f"kind {kind}"
    parts = _parts(row["product"])
    if parts and all(_says(line, part, noun=True) for part in parts):
        return f"product {' '.join(parts)}"
    for value in row["values"]:
        if _says(line, value, noun=False):
            return f"value {value}"
        if found := _held(line, value, noun=False):
            return f"stem {found}"
    if found := _held(line, row["product"], noun=True):
        return f"product {found}"
    return None


def _held(line: str, words: str, *, noun: bool) -> str:
    """The stems of a value or a product where a line holds all of them: 아침 alone does not say 바쁜 아침."""
    stems = morphemes.stems(words)
    if stems and all(
        _says(line, stem, noun=True) if noun and not verb else morphemes.holds(line, stem, verb) for stem, verb in stems
    ):
        return " ".join(stem for stem, _ in stems)
    return ""


@cache
def _kind(product: str) -> str:
    """The noun that says what a product is: of its last word, the last noun of two syllables or more."""
    word = product.split()[-1] if product.split() else ""
    if word in GENERIC:
        return ""
    nouns = [(form, start + len(form)) for form, tag, start in morphemes.tokens(word) if tag in morphemes.NOMINAL]
    if nouns and nouns[-1][1] == len(word) and len(nouns[-1][0]) > 1:
        word = nouns[-1][0]
    return word if len(word) > 1 and word != product and word not in GENERIC else ""


@cache
def _parts(product: str) -> tuple[str, ...]:
    """The words of a product that tell something, two syllables or more."""
    return tuple(word for word in product.split() if len(word) > 1 and word not in GENERIC)


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
