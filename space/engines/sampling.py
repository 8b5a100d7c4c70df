"""How every engine draws tokens, and what it takes for a line."""

from __future__ import annotations

from request import plain

Chat = list[dict[str, str]]

TOP_P = 0.95
CANDIDATES = 1000  # tokens that may come next; sorting Gemma's 262,144 for top-p would cost as much as the model
MAX_NEW_TOKENS = 48  # a line has about 15; what has not ended by then is rambling and is not shown


def finished(text: str) -> str:
    """The line of an answer that has ended, by itself or with a line break; "" where it holds broken characters."""
    line = plain(text.split("\n", 1)[0])
    return "" if "\ufffd" in line else line
