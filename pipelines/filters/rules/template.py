"""`template`: the line would do for any product: a cliché, stock words, or a phrase that too many lines have.

The clichés that somebody listed and the wording that is learnt from labelled lines stand in `cliches/`. What else is
overused the data itself shows: of the lines with one opening or ending of two words only the best stay, see
`selection`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.rules.cliches.forms import WORD, listed_cliche
from pipelines.filters.rules.cliches.wording import log_odds, strongest

REASON = Reason(
    "template",
    "상투어",
    "어느 상품에나 붙는 상투어이거나, 너무 많은 카피가 같이 쓰는 첫머리나 끝맺음입니다.",
    "A cliché that would do for any product, or an opening or ending that too many lines share.",
)

#: The log-odds of the wording from which a line is a cliché: chosen on lines by writers, each left out of the fit in
#: turn, so that 2% of their fresh lines are found and 86% of the others.
LEAST = 0.0
#: Words that tell nothing, which lines share because Korean sentences are made so: 수 있습니다, 돼요, 않는다.
LIGHT = re.compile(
    r"(?:있|없|되|된|됩|됐|돼|하|한|합|했|해|않|아니|아닙|싶|주|준|줍|줘|드려|드립)\w{0,3}|(?:수|것|줄|거)[은는이가을를도]?"
)


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`form 시작됩니다`, `stock words 당신 순간`, `wording 쉼표`, or None."""
    return cliche_of(row["ad_copy"])


def cliche_of(line: str) -> str | None:
    """What makes a line a cliché, as evidence, or None.

    Where the wording alone makes it one, the evidence is the word that speaks most for it: `wording 쉼표`.
    """
    if evidence := listed_cliche(line):
        return evidence
    return f"wording {strongest(line)}" if log_odds(line) >= LEAST else None


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
