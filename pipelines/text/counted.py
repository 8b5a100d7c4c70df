"""How many of something there are, in words."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2,000 rows`.

    Args:
        plural: where it is not the noun with an s, e.g. `people`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def first_of(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`: names for a sentence, not more than fit into one."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
