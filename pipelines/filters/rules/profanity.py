"""`profanity`: the row holds a swear word, a sexual word or one that demeans a group of people.

The words are our own: korcen 1.0.3 misses 씨발 and 시1발, rejects 투자의 새로운 and 까치발, replaces `sys.stdout` and
prints when imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "profanity",
    "욕설·비하",
    "욕설이나 남을 깎아내리는 말이 들어 있습니다.",
    "Holds swear words or slurs.",
)

WORDS = Path(__file__).parent / "profanity.yaml"
#: What may stand between two syllables of one word: 시1발, 병.신. A space only where the word has one.
BETWEEN = r"[^가-힣ㄱ-ㅎㅏ-ㅣA-Za-z\s]{0,2}"
LETTER = "[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9]"
#: (before, after) of a word, by where it must stand to be one.
PLACES = {
    "anywhere": ("", ""),
    "start": (f"(?<!{LETTER})", ""),
    "whole": (f"(?<!{LETTER})", f"(?!{LETTER})"),
}


@dataclass(frozen=True)
class Swearing:
    """Words of one kind that stand at the same place.

    Attributes:
        kind: swearing, sexual or demeaning.
        at: a key of `PLACES`.
        words: as they are spelled, a space where there must be one.
        fine: longer words that hold one of `words` and are none.
        examples, clean: lines that must and must not be found.
    """

    kind: str
    at: str
    words: tuple[str, ...]
    fine: tuple[str, ...]
    examples: tuple[str, ...]
    clean: tuple[str, ...]


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`swearing: 시1발`, the kind and the word as it stands in line, product or values, or None."""
    text = "\n".join((row["ad_copy"], row["product"], *row["values"])).lower()
    if not _any_word().search(text):
        return None
    for entry in load_words():
        for found in _pattern(entry).finditer(text):
            if not _inside(text, found, entry.fine):
                return f"{entry.kind}: {found.group()}"
    return None


@cache
def load_words(path: Path = WORDS) -> tuple[Swearing, ...]:
    """The word lists of a file, in its order."""
    return tuple(
        Swearing(
            kind=entry["kind"],
            at=entry.get("at", "anywhere"),
            words=tuple(entry["words"]),
            fine=tuple(entry.get("fine", ())),
            examples=tuple(entry["examples"]),
            clean=tuple(entry["clean"]),
        )
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    )


@cache
def _any_word() -> re.Pattern[str]:
    """Every word, wherever it stands. Each begins with a letter: `re` skips to the next that one begins with."""
    return re.compile("|".join(_spelled(word) for entry in load_words() for word in entry.words))


@cache
def _pattern(entry: Swearing) -> re.Pattern[str]:
    before, after = PLACES[entry.at]
    return re.compile(f"{before}(?:{'|'.join(map(_spelled, entry.words))}){after}")


def _spelled(word: str) -> str:
    return r"\s+".join(BETWEEN.join(map(re.escape, part)) for part in word.split())


def _inside(text: str, found: re.Match[str], fine: tuple[str, ...]) -> bool:
    """Whether one of the longer words stands around the match."""
    return any(
        start <= found.start() and found.end() <= start + len(word)
        for word in fine
        for start in range(max(0, found.end() - len(word)), found.start() + 1)
        if text.startswith(word, start)
    )
