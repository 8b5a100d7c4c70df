"""How many of something there are, in words."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2,000 rows`.

    Args:
        plural: where it is not the noun with an s, e.g. `people`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
