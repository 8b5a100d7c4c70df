"""Lists of words that a text must not hold, and where each must stand to be meant.

A file is a list of entries with `kind`, `words`, `examples`, `clean` and, where needed, `at`, `fine` and `goods`: see
`Words`. Words are written as they are spelled; signs between their letters (시1발, 병.신) are seen through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

#: What may stand between two syllables of one word: 시1발, 병.신. A space only where the word has one.
BETWEEN = r"[^가-힣ㄱ-ㅎㅏ-ㅣA-Za-z\s]{0,2}"
LETTER = "[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9]"
#: What is done with goods: 필로폰 판매 is sold as 필로폰 is.
TRADE = (
    r"(?:\s?(?:판매처?|구매처?|직거래|거래|매매|매입|유통|배달|배송|던지기|밀수|공급|재배|키우기|주문|구입|구함|구합니다"
    r"|삽니다|팝니다|파는 곳|구하는 법|알선|제조법?|제작|만들기|만드는 법|방법|대행|의뢰|문의|추천|광고|홍보|업체"
    r"|사이트|암시장|직구|도면|설계도|재료|개조|부품|키트|캡슐|알약|영상|사진|모음|모집|알바|판매책|업자"
    r"|앱|어플|채널|플랫폼|서비스|세트|할인|가격|무료|특가|도매|전문점?|쇼핑몰|상점|가게))*"
)
#: (before, after) of a word, by where it must stand to be meant.
PLACES = {
    "anywhere": ("", ""),
    "start": (f"(?<!{LETTER})", ""),
    "whole": (f"(?<!{LETTER})", f"(?!{LETTER})"),
    # Nothing but marks up to the end of the line or sentence: 죽어라! and not 죽어라 뛰던 날.
    "last": (f"(?<!{LETTER})", r"(?=[\s~,]*(?:[.!?…]|$))"),
    # What a name ends in is what it names: 장난감 권총 is a pistol, and 권총 케이스 is none.
    "head": ("", rf"(?={TRADE}[^\w]*$)"),
    # The whole name: 폭탄 and 폭탄 판매, but neither 버블 폭탄 nor 폭탄 세일.
    "only": (r"^[^\w]*", rf"(?={TRADE}[^\w]*$)"),
}


@dataclass(frozen=True)
class Words:
    """Words of one kind that must stand at the same place.

    Attributes:
        kind: what the evidence calls it.
        at: a key of `PLACES`.
        words: as they are spelled, a space where there must be one.
        fine: longer words that hold one of `words` and are none.
        goods: of a product that holds one of these the words are said innocently: 젖꼭지 of a 젖병.
        examples, clean: texts that must and must not be found; `product | text` where there are `goods`.
    """

    kind: str
    at: str
    words: tuple[str, ...]
    fine: tuple[str, ...]
    goods: tuple[str, ...]
    examples: tuple[str, ...]
    clean: tuple[str, ...]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any of the words, where it must stand."""
        before, after = PLACES[self.at]
        return re.compile(f"{before}(?:{'|'.join(map(_spelled, self.words))}){after}", re.M)

    def find(self, text: str, goods: str) -> str | None:
        """The first word that a text in small letters says of a product, as it stands there, or None."""
        if any(word in goods for word in self.goods):
            return None
        return next((found.group() for found in self.pattern.finditer(text) if not self._is_fine(text, found)), None)

    def _is_fine(self, text: str, found: re.Match[str]) -> bool:
        """Whether one of the longer words stands around the match."""
        return any(
            start <= found.start() and found.end() <= start + len(word)
            for word in self.fine
            for start in range(max(0, found.end() - len(word)), found.start() + 1)
            if text.startswith(word, start)
        )


def first_word(path: Path, texts: Sequence[str], goods: str) -> tuple[str, str] | None:
    """(kind, word as it stands) of the first entry of a file that one of the texts holds a word of, or None.

    Args:
        goods: the product of which the texts are said.
    """
    text = "\n".join(texts).lower()
    if not _any_word(path).search(text):
        return None
    goods = goods.lower()
    return next(((entry.kind, word) for entry in load_words(path) if (word := entry.find(text, goods))), None)


@cache
def load_words(path: Path) -> tuple[Words, ...]:
    """The entries of a file, in its order."""
    return tuple(map(_entry, yaml.safe_load(path.read_text(encoding="utf-8"))))


def _entry(fields: Mapping[str, Any]) -> Words:
    lists = {name: tuple(fields.get(name, ())) for name in ("words", "fine", "goods", "examples", "clean")}
    return Words(kind=fields["kind"], at=fields.get("at", "anywhere"), **lists)


@cache
def _any_word(path: Path) -> re.Pattern[str]:
    """Every word, wherever it stands. Each begins with a letter: `re` skips to the next that one begins with."""
    return re.compile("|".join(_spelled(word) for entry in load_words(path) for word in entry.words))


def _spelled(word: str) -> str:
    return r"\s+".join(BETWEEN.join(map(re.escape, part)) for part in word.split())
