"""The memory of a process and all it starts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

#: Seconds between two looks.
SAMPLING = 0.2


def peak_memory(process: subprocess.Popen[str]) -> int:
    """Bytes that a process and its descendants took at most, summed, until it ended.

    Proportional set size, so that pages which forks share count once; resident set size where the kernel keeps none.
    """
    measure = memory_measure()
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid, measure))
        time.sleep(SAMPLING)
    return peak


def memory_measure() -> Callable[[psutil.Process], int]:
    """How memory is measured here: `pss` or `rss`."""

    def pss(process: psutil.Process) -> int:
        return int(process.memory_full_info().pss)

    def rss(process: psutil.Process) -> int:
        return int(process.memory_info().rss)

    try:
        pss(psutil.Process())
    except (AttributeError, psutil.AccessDenied):
        return rss
    return pss


def tree_memory(pid: int, measure: Callable[[psutil.Process], int]) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += measure(process)
    return total
