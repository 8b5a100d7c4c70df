"""`template`: the line would do for any product: a worn-out form, or an opening or ending that too many lines have.

The forms stand in `templates.yaml`. What else is overused the data itself shows: of the lines with one opening (first
two words) or ending (last word, or two where the last says little by itself) only the best stay, see `selection`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "template",
    "틀에 박힌 말",
    "어느 상품에나 붙는 닳은 말이거나, 너무 많은 줄이 같은 첫머리나 끝맺음을 씁니다.",
    "A worn-out form that would do for any product, or an opening or ending that too many lines share.",
)

FORMS = Path(__file__).parent / "templates.yaml"
PUNCTUATION = re.compile(r"[^\w\s]|_")
#: Last words that lines share because Korean sentences end so: 있습니다, 돼요, 않는다.
LIGHT = re.compile(r"(?:있|없|되|된|됩|됐|돼|하|한|합|했|해|않|아니|아닙|싶|주|준|줍|줘|드려|드립)\w{0,3}")


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`form 시작됩니다`, or None."""
    name = cliche_of(row["ad_copy"])
    return f"form {name}" if name else None


def cliche_of(line: str) -> str | None:
    """Name of the cliché that a line is, as in `templates.yaml`, or None."""
    found = _forms().search(line)
    return _names()[found.lastgroup] if found and found.lastgroup else None


@lru_cache(maxsize=1 << 16)  # selections look at the same lines again and again
def phrases(line: str) -> tuple[str, ...]:
    """The opening and the ending of a line of three words or more, e.g. `opening 손에 잡히는`, `ending 느껴보세요`."""
    words = PUNCTUATION.sub(" ", line).split()
    if len(words) < 3:
        return ()
    ending = " ".join(words[-2:]) if LIGHT.fullmatch(words[-1]) else words[-1]
    return f"opening {words[0]} {words[1]}", f"ending {ending}"


def most(rows: int, limits: Limits) -> int:
    """In how many of so many lines an opening or an ending may stand."""
    return max(limits.max_phrase_count, int(limits.max_phrase_share * rows + 1e-9))


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
