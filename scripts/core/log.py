"""Lines for people, on stderr; stdout is for URIs and data."""

from __future__ import annotations

import sys

from pipelines.progress import is_quiet, write_line


def log(message: str) -> None:
    """Write one line with the time of day."""
    if not is_quiet():
        write_line(message, sys.stderr)
