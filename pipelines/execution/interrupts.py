"""Give Ctrl-C back to Python after a distilabel pipeline took it."""

from __future__ import annotations

import signal

from distilabel.pipeline.base import BasePipeline


def leave_interrupts() -> None:
    """Leave Ctrl-C to Python. A plain pipeline that ran before has left its handler, which speaks to closed queues."""
    if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == BasePipeline.__module__:
        signal.signal(signal.SIGINT, signal.default_int_handler)
