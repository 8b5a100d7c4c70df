"""Says how a process died that a run depends on, and looks after those that were started outside of a pipeline."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.errors import HanjulError

#: Who -> gives the exit code, or None for as long as it runs.
_WATCHED: dict[str, Callable[[], int | None]] = {}


def died(who: str, code: int | None, where: str = "") -> HanjulError:
    """The error that a process is gone.

    Args:
        who: begins the sentence.
        code: its exit code; negative for a signal, as `multiprocessing` and `subprocess` have it. None if unknown.
    """
    step = "run the same command to go on: what was answered is kept"
    if code == -signal.SIGKILL:  # what Linux does to a process where memory runs out
        step = f"see whether memory ran out, and {step}"
    return HanjulError(f"{who} died: {_how(code)}", where, step)


def _how(code: int | None) -> str:
    if code is None:
        return "its exit code is not known"
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal
        name = f"signal {-code}"
    return f"it was ended by {name}" + (" (out of memory?)" if code == -signal.SIGKILL else "")


@contextmanager
def watched(who: str, poll: Callable[[], int | None]) -> Iterator[None]:
    """Have pipelines that run meanwhile on this machine end when a process does.

    Args:
        poll: gives its exit code, or None for as long as it runs.
    """
    _WATCHED[who] = poll
    try:
        yield
    finally:
        del _WATCHED[who]


def raise_if_dead() -> None:
    """Raise that one of the watched processes is gone, if one is.

    Raises:
        HanjulError: which, and how it ended.
    """
    for who, poll in list(_WATCHED.items()):
        if (code := poll()) is not None:
            raise died(who, code)
