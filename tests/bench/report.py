"""What a bench says: progress on stderr, and one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """The command line that every bench has; nothing of a bench that is stopped outlives it."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--smoke", action="store_true", help="small enough to take about a minute; figures tell nothing"
    )
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    return parser


def say(text: str) -> None:
    """Progress: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def finish(figures: Mapping[str, Any]) -> None:
    """Print the result."""
    print(json.dumps(figures))


def skip(reason: str) -> NoReturn:
    """End without figures where something is not there that a bench needs; `tests.bench` knows it by the key."""
    finish({"skipped": reason})
    sys.exit()
