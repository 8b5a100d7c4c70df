"""Progress for people, on stderr; stdout is for URIs and data."""

from __future__ import annotations

import sys
import time

QUIET = False


def log(message: str) -> None:
    """One line with the time of day."""
    if not QUIET:
        print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)
