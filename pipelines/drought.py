"""Says when it is no use to ask a teacher on: nothing that can be used comes back."""

from __future__ import annotations

#: Prompts in a row without anything usable that are enough: before the first that has something, and after it. Of a
#: teacher whose answers are of use one time in ten, 50 in a row are of none once in 200 runs, and 200 never.
AT_FIRST, LATER = 50, 200


class Drought:
    """Counts prompts without anything usable, one after the other, as their answers come.

    Attributes:
        broken: something usable has come.
        length: prompts since then, or since the first.
    """

    def __init__(self) -> None:
        self.broken = False
        self.length = 0

    def add(self, *, usable: bool) -> bool:
        """Count a prompt; whether asking on is of no use."""
        self.broken |= usable
        self.length = 0 if usable else self.length + 1
        return self.length >= (LATER if self.broken else AT_FIRST)

    def __str__(self) -> str:
        return f"{self.length} prompts in a row brought nothing that can be used"
