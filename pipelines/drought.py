"""Says when it is no use to ask a teacher on: nothing that can be used comes back."""

from __future__ import annotations

from pipelines.endpoint.failures import Failure, FailureKind

#: Prompts in a row without anything usable that are enough: before the first that has something, and after it. Of a
#: teacher whose answers are of use one time in ten, 50 in a row are of none once in 200 runs, and 200 never.
AT_FIRST, LATER = 50, 200


class Drought:
    """Counts prompts without anything usable, one after the other, as their answers come.

    Those that met a limit, or an endpoint that is gone, say nothing of the teacher.

    Attributes:
        broken: something usable has come.
        length: prompts since then, or since the first.
    """

    def __init__(self) -> None:
        self.broken = False
        self.length = 0

    def add(self, failure: Failure | None, *, usable: bool) -> bool:
        """Count a prompt; whether asking on is of no use."""
        if failure and failure.ends_all:
            return False
        self.broken |= usable
        self.length = 0 if usable else self.length + 1
        return self.length >= (LATER if self.broken else AT_FIRST)

    def end(self, failure: Failure | None) -> Failure | None:
        """What becomes of the failure of the last prompt: a limit, where something usable had come."""
        return Failure(FailureKind.LIMIT, str(self)) if self.broken else failure

    def __str__(self) -> str:
        return f"{self.length} prompts in a row brought nothing that can be used"
