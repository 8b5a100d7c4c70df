"""`template`: the line would do for any product: a cliché, stock words, or a phrase that too many lines have.

The forms stand in `templates.yaml`, the words in `stock_words.yaml`. One stock word in a good line is fine; they
carry a line where two or more are half of its words, or a quarter of them with a heavy one among them, or where a heavy
one comes last. What else is overused the data itself shows: of the lines with one opening or ending of two words only
the best stay, see `selection`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "template",
    "상투어",
    "어느 상품에나 붙는 상투어이거나, 너무 많은 카피가 같이 쓰는 첫머리나 끝맺음입니다.",
    "A cliché that would do for any product, or an opening or ending that too many lines share.",
)

FORMS = Path(__file__).parent / "templates.yaml"
STOCK_WORDS = Path(__file__).parent / "stock_words.yaml"
WORD = re.compile(r"[^\W_]+")
#: Words that tell nothing, which lines share because Korean sentences are made so: 수 있습니다, 돼요, 않는다.
LIGHT = re.compile(
    r"(?:있|없|되|된|됩|됐|돼|하|한|합|했|해|않|아니|아닙|싶|주|준|줍|줘|드려|드립)\w{0,3}|(?:수|것|줄|거)[은는이가을를도]?"
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`form 시작됩니다`, `stock words 당신 순간`, or None."""
    return cliche_of(row["ad_copy"])


def cliche_of(line: str) -> str | None:
    """What makes a line a cliché, as evidence: a form of `templates.yaml`, or the stock words that carry it; or None.

    Examples:
        `화려한 순간을 살아내다` -> `stock words 순간을`, one word of three;
        `당신이 잠든 사이 우유가 현관까지` -> None, one of five.
    """
    if (form := _forms().search(line)) and form.lastgroup:
        return f"form {_names()[form.lastgroup]}"
    found = list(_stock().finditer(line))
    if found and _carry(line, found):
        return f"stock words {' '.join(match.group() for match in found)}"
    return None


@lru_cache(maxsize=1 << 16)  # selections look at the same lines again and again
def phrases(line: str) -> tuple[str, ...]:
    """The first two words and the last two telling ones of a line of three words or more: one word is no phrase.

    Examples:
        `비 오는 날에도 말릴 수 있어요` -> `opening 비 오는`, `ending 날에도 말릴 수 있어요`.
    """
    words = WORD.findall(line)
    if len(words) < 3:
        return ()
    telling = [place for place, word in enumerate(words) if not LIGHT.fullmatch(word)]
    ending = words[telling[-2] if len(telling) > 1 else -2 :]
    return f"opening {words[0]} {words[1]}", f"ending {' '.join(ending)}"


def most(rows: int, limits: Limits) -> int:
    """In how many of so many lines an opening or an ending may stand."""
    return max(limits.max_phrase_count, int(limits.max_phrase_share * rows + 1e-9))


def _carry(line: str, found: Sequence[re.Match[str]]) -> bool:
    words = [match.start() for match in WORD.finditer(line)]
    heavy = [match.start() for match in found if match.lastgroup == "heavy"]
    if heavy:
        return 4 * len(found) >= len(words) or words[-1] in heavy
    return len(found) > 1 and 2 * len(found) >= len(words)


@cache
def _stock() -> re.Pattern[str]:
    words: dict[str, str] = yaml.safe_load(STOCK_WORDS.read_text(encoding="utf-8"))
    weights = (f"(?P<{weight}>{'|'.join(listed.split())})" for weight, listed in words.items())
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(weights)})".replace("$", r"(?![^\W_])"))


@cache
def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(FORMS.read_text(encoding="utf-8"))
    return entries


@cache
def _names() -> dict[str, str]:
    return {f"form{place}": entry["name"] for place, entry in enumerate(_entries())}


@cache
def _forms() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<form{place}>{entry['pattern']})" for place, entry in enumerate(_entries())))
