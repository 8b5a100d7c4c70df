"""The rows that were written for Hanjul, one JSONL file for each product category.

A row has `product`, `category` (of the taxonomy), `values` (list), `ad_copy`, `device`, `tone` and `merit`. Lines that
are `good` or `plain` are released; a `flat` one is the worse line of a true preference pair.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load_corpus() -> list[dict[str, Any]]:
    """All rows, file by file in the order of their names."""
    return [json.loads(line) for path in _files() for line in path.read_text(encoding="utf-8").splitlines()]


def corpus_digest() -> str:
    """`sha256:<hex>` over all files: how a stage pins the corpus."""
    return f"sha256:{hashlib.sha256(b''.join(path.read_bytes() for path in _files())).hexdigest()}"


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*.jsonl"))
