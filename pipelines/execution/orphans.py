"""End the processes of a pipeline's steps with the process that started them: an orphan would go on paying."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Whether processes forked now end with this one; a hook at fork cannot be taken back.
_watched = False
#: Seconds between two looks at the parent.
_WATCH_S = 0.1


@contextmanager
def no_orphans() -> Iterator[None]:
    """Have the processes forked meanwhile end with this one, even when it is killed: an orphan would go on paying."""
    global _watched
    _watched = True
    try:
        yield
    finally:
        _watched = False


def end_with_parent() -> None:
    """In a step's process: end when the process that started it does. Where processes are not forked, steps call it."""
    if not _watched and multiprocessing.parent_process():
        _watch_parent()


def _watch_forked() -> None:
    if _watched:
        _watch_parent()


def _watch_parent() -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_watch_forked)
