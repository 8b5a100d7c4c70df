"""Ctrl-C: given back to Python after distilabel took it, kept from the processes of steps, and taken once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distilabel.pipeline.base import BasePipeline


def leave_interrupts() -> None:
    """Leave Ctrl-C to Python. A plain pipeline that ran before has left its handler, which speaks to closed queues."""
    if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == BasePipeline.__module__:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def one_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt once, in the main thread: a second Ctrl-C must not stop the ending that one began."""
    leave_interrupts()
    taken = False

    def interrupt(number: int, frame: Any) -> None:
        nonlocal taken
        if not taken:
            taken = True
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        taken = True  # one that came now would be raised in the call below, and nothing be put back
        signal.signal(signal.SIGINT, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off, in the main thread. Processes that are started meanwhile never see it: their parent ends them."""
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of this thread and those processes alone
    try:
        yield
    finally:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)
