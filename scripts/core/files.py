"""Files on this machine: what pins one, and how to write one so that a crash leaves no half."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(path: Path) -> str:
    """`sha256:<hex>` of a file's content: how a stage pins an input that is no repo."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
