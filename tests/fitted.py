"""What takes a minute to fit, and is the same for all tests: one folder for all processes of a test run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_VARIABLE = "TESTS_FITTED"
#: Of the data folder's `cache`: wordings of rules, the judge that Spaces carry.
_SHARED = ("wordings", "published-judge")


def _folder() -> Path:
    """Of the process that pytest was started as; it tells its workers."""
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="hanjul-fitted-")
        atexit.register(shutil.rmtree, os.environ[_VARIABLE], ignore_errors=True)
    return Path(os.environ[_VARIABLE])


FITTED = _folder()


def share(home: Path) -> None:
    """Let a data folder that is still empty use what others have fitted."""
    (home / "cache").mkdir(parents=True, exist_ok=True)
    for name in _SHARED:
        (FITTED / name).mkdir(exist_ok=True)
        if not (home / "cache" / name).exists():
            (home / "cache" / name).symlink_to(FITTED / name)
