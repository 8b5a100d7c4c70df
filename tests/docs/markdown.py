"""The project's Markdown files, and the pieces of them that tests look at."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Files that are no documentation: what a Space's README is made from, and what a test expects as output.
OTHERS = ("space/README.md", "tests/dataset_card/golden/README.md", "tests/model_card/cards/golden/adapter.md")


def files(*patterns: str) -> list[str]:
    """Paths from the root of files that git tracks or would track, e.g. of `*.md`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted(path for path in set(found) if path and (ROOT / path).is_file())


def documents() -> list[str]:
    """Markdown files that people read about the project, as paths from the root."""
    return [path for path in files("*.md") if path not in OTHERS]


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, language: str = "") -> list[str]:
    """Contents of the fenced code blocks of a language; "" is of those that name none."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text(document), flags=re.S | re.M)
    return [content for name, content in fenced if name == language]


def prose(document: str) -> str:
    """The text without its fenced code blocks."""
    return re.sub(r"^```.*?^```$", "", text(document), flags=re.S | re.M)


def anchors(document: str) -> set[str]:
    """The anchors that GitHub gives the headings: lower case, spaces to hyphens, punctuation dropped."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
