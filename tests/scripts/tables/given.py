"""A file as somebody gives it, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.errors import HanjulError
from scripts.hub.hub import Hub
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import identify, read
from scripts.tables.table import COLUMNS

#: The row that most tests give, as they give it and as it comes.
ROW = ("우산", ["든든한", "가벼운"], "비보다 먼저 펴지는 마음")
CSV = '상품,가치,카피\n우산,"든든한, 가벼운",비보다 먼저 펴지는 마음\n'


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(hub: Any, source: Path | str) -> list[tuple[str, list[str], str]]:
    """Product, values and line of each row that `hanjul import SOURCE` would take."""
    found, _ = identify(hub, str(source))
    rows = to_rows(read(hub, found, COLUMNS, OPTIONAL), "imported")
    return [(row["product"], row["values"], row["ad_copy"]) for row in rows]


def rows_in(folder: Path, content: str | bytes, name: str = "rows.csv") -> list[tuple[str, list[str], str]]:
    """The same of a file, for which no Hub is needed."""
    return rows_of(None, written(folder, content, name))


def sentence(hub: Hub | None, source: Path | str) -> str:
    """What a source that cannot be imported is answered, which names it."""
    try:
        rows_of(hub, source)
    except HanjulError as error:
        assert error.next_step and error.where and "\n" not in str(error)
        return str(error)
    raise AssertionError(f"{source} was imported")
