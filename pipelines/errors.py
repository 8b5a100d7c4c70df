"""The error that Hanjul raises on purpose: one sentence, a place, a next step."""

from __future__ import annotations

from typing import ClassVar


class HanjulError(Exception):
    """What its reader can mend: a recipe, rows, a file, an endpoint, something that is not installed.

    The CLI prints it without a traceback and exits with its code. Any other exception is a bug, and is reported as one.

    Args:
        what: what went wrong, one sentence.
        where: the file, URI, key or address it concerns.
        next_step: what the reader can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what, where, next_step)  # all of them, so that it can be sent from a step's process
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        step = f" → {self.next_step}" if self.next_step else ""
        return f"{self.what}{place}{step}"


class LimitReachedError(HanjulError):
    """A limit of the recipe ended the work. What there is by then is kept."""

    exit_code = 3
