"""What Hanjul runs on, for manifests and logs."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from importlib import metadata

from scripts.core import env

PACKAGES = ("hanjul", "torch", "transformers", "datasets", "huggingface_hub", "peft", "trl", "distilabel", "deepeval")


def package_versions() -> dict[str, str]:
    """Distribution -> version, of those that are installed: a machine that only trains has no judge."""
    found = {}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def git_commit() -> str | None:
    """The source tree's commit, or None for an installed wheel: site-packages may lie inside somebody's repository."""
    if not (env.ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(env.ROOT), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
    except OSError:  # no git on this machine
        return None
