"""Text as people type it: the values that it holds, and one clean line of it. Imports nothing of the page."""

from __future__ import annotations

import re
import unicodedata

#: What stands between two values.
SEPARATORS = re.compile(r"[;；、|｜\n\r\u2028]|(?<!\d)[,，]|[,，](?!\d{3}(?!\d))|(?<!\d)[·ㆍ・‧•]|[·ㆍ・‧•](?!\d)")


def part_values(text: str) -> list[str]:
    """The values of a text: parted by commas, semicolons, middle dots, bars and line breaks, in Korean or Latin width.

    Inside a number they part nothing: a comma before three digits (`1,000원`), a dot between two digits (`3·1절`). Full
    stops and slashes never do (`2.5배`, `A/S`).
    """
    return SEPARATORS.split(text)


def plain(text: str | None) -> str:
    """NFC, without control characters, runs of white space made one space: one line, as in training."""
    normal = unicodedata.normalize("NFC", text or "")
    return " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in normal).split())
