"""`profanity`: the row holds a swear word, a sexual word, a threat or one that demeans a group of people.

The words are our own: korcen 1.0.3 misses 씨발 and 시1발, rejects 투자의 새로운 and 까치발, replaces `sys.stdout` and
prints when imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.word_lists import first_word

REASON = Reason(
    "profanity",
    "욕설·비하",
    "욕설, 음란한 말, 해치겠다는 말이나 남을 깎아내리는 말이 들어 있습니다.",
    "Holds swear words, obscenities, threats or slurs.",
)

WORDS = Path(__file__).parent / "profanity.yaml"


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`swearing: 시1발`, the kind and the word as it stands in line, product or values, or None."""
    found = first_word(WORDS, (row["ad_copy"], row["product"], *row["values"]), row["product"])
    return f"{found[0]}: {found[1]}" if found else None
