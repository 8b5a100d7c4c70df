"""How many cores this process may use. A container's quota counts: threads beyond it wait for each other."""

from __future__ import annotations

import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # `200000 100000`: microseconds of CPU a period, or `max 100000`


def usable_cores() -> int:
    """Cores that the scheduler gives, within the container's quota where it has one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CPU_MAX.read_text(encoding="ascii").split()
    except OSError:
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))
