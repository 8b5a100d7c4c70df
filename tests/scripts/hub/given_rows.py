"""Rows that a person might give, as a table has them."""

from __future__ import annotations

import json
from pathlib import Path

ROWS = [
    {"product": product, "values": "쉼", "ad_copy": copy}
    for product, copy in (
        ("우산", "비도 약속을 못 미룬다"),
        ("향초", "불을 끄고 켜는 저녁"),
        ("책", "한 장 넘기면 다른 방"),
    )
]


def rows_file(folder: Path, rows: list[dict[str, str]] = ROWS) -> str:
    """The path of a file with rows."""
    path = folder / "rows.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return str(path)
