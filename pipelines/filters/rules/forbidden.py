"""Products that nobody may advertise, or that harm people: drugs, weapons, hatred, the sale of sex.

No rule of rows: it is looked for in what is asked for, before a line is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.filters.word_lists import first_word

WORDS = Path(__file__).parent / "forbidden.yaml"


def forbidden(product: str, values: Sequence[str]) -> tuple[str, str] | None:
    """(`illegal`, `hate` or `sexual`, the words that say so) of what is to be advertised, or None."""
    return first_word(WORDS, (product, *values), product)
