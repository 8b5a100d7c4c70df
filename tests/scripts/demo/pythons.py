"""Other Pythons of this machine, for what a Space runs on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def python_of(version: str) -> Path | None:
    """An interpreter of a version like `3.12`: on the path, or one of pyenv's; None where there is none."""
    on_path = shutil.which(f"python{version}")
    built = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in [*([Path(on_path)] if on_path else []), *built]:
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)  # a shim may lead nowhere
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None
