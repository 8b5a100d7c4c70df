"""Locks between processes. Whoever waits for one says so, and for whom."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.progress import is_quiet, write_line

#: Seconds of waiting after which a line says so.
SILENT_S = 1.0


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of a file. The system lets go of it when its holder is killed.

    Args:
        what: it is held for, in the line of those who wait.
    """
    lock, holder = FileLock(path), path.with_name(f"{path.name}.holder")
    try:
        lock.acquire(timeout=SILENT_S)
    except Timeout:
        if not is_quiet():
            write_line(f"{what}: waiting for another process{_process(holder)}, which is at it", sys.stderr)
        lock.acquire()
    try:
        holder.write_text(str(os.getpid()), encoding="ascii")  # the lock's own file is emptied by all who try it
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _process(holder: Path) -> str:
    with suppress(OSError):
        return f" (pid {holder.read_text(encoding='ascii')})"
    return ""
