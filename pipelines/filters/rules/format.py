"""`format`: the row is not one plain line for one product and at least one value, or the line speaks of itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "format",
    "카피 하나가 아님",
    "줄바꿈, 머리말, 답변에 관한 말, 마크업, 해시태그, 따옴표, 이모지가 섞여 카피 하나로 볼 수 없습니다.",
    "Not one plain line: line breaks, labels, remarks on the answer, markup, hashtags, quotation marks or emoji.",
)

DOUBLE_QUOTES = '"“”„‟＂「」『』«»'
DOUBLE_QUOTE = re.compile(f"[{DOUBLE_QUOTES}]")
#: A field name of our prompt, or the words with which a model introduces its answer.
LABEL = re.compile(
    r"(?:^|[\s\[(*])(?:상품|제품|가치|카피(?:라이팅)?|문구|슬로건|답변?|설명|참고|해설|예시|tone|copy|note)\s*\d*\s*[\])*]*\s*[:：]"
    r"|카피라이팅|(?:카피|문구|답안|답변|슬로건|키워드)[은는]?\s*다음과\s*같|[은는] 다음과 같습니다",
    re.I,
)
#: What a model says of its answer, or to the one who asked: no copy speaks of itself.
REMARK = re.compile(
    r"다음과 같(?:이|은) (?:\S+ )?(?:답변|답안|작성|카피|문구|슬로건|제안|정리|표현|예시)"
    r"|(?:답변|답안|카피|광고 ?문구|슬로건)[을를]? ?(?:작성|생성|제안|제시|제공)"
    r"(?:할 수|해 ?드|하겠|했|합니다|해 ?보|하였)"
    r"|요청하신|질문하신|요청에 (?:따라|맞)|(?:주어진|제시된|위의?|해당) (?:조건|상품|제품|가치|키워드|문구|카피)"
    r"|(?:AI|인공지능|언어) ?모델로서"
)
MARKUP = re.compile(r"\*\*|__|```|`|^#+\s|^[-*•]\s|^\d+[.)]\s|\]\(|</?[a-z][^>]*>|[{}|\\]")
HASHTAG = re.compile(r"#\s?\w")
#: Apostrophes that belong to a word: '90년대, I'm.
APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)|['’](?=\d)")
#: Symbols that are not pictures; the replacement character is left to `script`.
PLAIN_SYMBOLS = "°℃℉™®©\ufffd"
#: Texts of nothing but Hangul and ASCII, as most are, show no picture.
NO_PICTURE = re.compile(r"[가-힣\x00-\x7f]*")


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """Evidence that the row is not one plain line, or None."""
    if not row["product"]:
        return "no product"
    if not row["values"] or not all(row["values"]):
        return "no value"
    for column, text in (("product", row["product"]), *(("value", value) for value in row["values"])):
        if "\n" in text or any(quote in text for quote in DOUBLE_QUOTES):
            return f"{column}: {text}"
    return _line(row["ad_copy"])


def _line(text: str) -> str | None:
    if text and not any("가" <= character <= "힣" for character in text):
        return "no Hangul"
    if "\n" in text:
        return f"{len(text.splitlines())} lines"
    for name, pattern in (("label", LABEL), ("remark", REMARK), ("markup", MARKUP), ("hashtag", HASHTAG)):
        if found := pattern.search(text):
            return f"{name}: {found.group().strip()}"
    return _quotes(text) or _picture(text)


def _quotes(text: str) -> str | None:
    """Double quotes anywhere, or single ones that do not close."""
    if found := DOUBLE_QUOTE.search(text):
        return f"quote: {found.group()}"
    rest = APOSTROPHE.sub("", text)
    if rest.count("'") % 2 or rest.count("‘") != rest.count("’"):
        return "quote: not closed"
    return None


def _picture(text: str) -> str | None:
    if NO_PICTURE.fullmatch(text):
        return None
    for character in text:
        symbol = unicodedata.category(character) == "So" and character not in PLAIN_SYMBOLS
        if symbol or "\U0001f000" <= character <= "\U0001faff" or character in "\ufe0f\u20e3":
            return f"emoji: U+{ord(character):04X}"
    return None
