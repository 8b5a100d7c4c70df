"""The real `hanjul` command, as a process with a data folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def hanjul(
    *args: str, home: Path, check: bool = False, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, without the Hub settings of the test session.

    Args:
        home: the data folder, and the user's home as the command sees it.
        check: raise when it fails.
        timeout: seconds.
        environment: variables on top.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-m", "scripts.cli", *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean | {"HANJUL_HOME": str(home), "HOME": str(home)} | environment,
        timeout=timeout,
        check=check,
    )
