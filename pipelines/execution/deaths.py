"""Says how a process died that a run depends on, and looks after those that were started outside of a pipeline."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from pipelines.errors import HanjulError

#: Seconds until a process that hung up is seen dead, at most.
NOTED_S = 1.0
#: Who, and what gives the exit code, or None for as long as it runs. Two may go by one name.
_WATCHED: list[tuple[str, Callable[[], int | None]]] = []


def exit_code(process: BaseProcess) -> int | None:
    """The exit code of a process that is ending or dead, once it is there.

    Where two threads wait for a process, the system tells one of them, and the other has to wait for that one's note.
    """
    deadline = time.monotonic() + NOTED_S
    process.join(NOTED_S)
    while process.exitcode is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return process.exitcode


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
    entry = who, poll
    _WATCHED.append(entry)
    try:
        yield
    finally:
        _WATCHED.remove(entry)


def raise_if_dead() -> None:
    """Raise that one of the watched processes is gone, if one is.

    Raises:
        HanjulError: which, and how it ended.
    """
    for who, poll in list(_WATCHED):
        if (code := poll()) is not None:
            raise died(who, code)
