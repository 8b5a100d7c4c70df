"""Votes of visitors, as the demo keeps them: known by their columns, read as they stand there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.feedback import votes
from pipelines.text.counted import counted
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.tables.files import read_file
from scripts.tables.hub_tables import HubSource, read_hub
from scripts.tables.sources import Source
from scripts.tables.table import Names
from space.feedback_repo import FOLDER

COLUMNS: Names = {name: (name,) for name in votes.COLUMNS}
JSONL = ".jsonl"


def is_feedback(hub: Hub, source: Source) -> bool:
    """Whether a source is votes: the first line of its first file names their columns."""
    path = _first_file(hub, source)
    if path is None:
        return False
    with path.open("rb") as file:
        line = file.readline()
    try:
        first = json.loads(line)
    except ValueError:  # another kind of table, or none
        return False
    return isinstance(first, dict) and has_votes(first)


def has_votes(header: Iterable[str]) -> bool:
    """Whether a table of these columns holds votes, and no rows."""
    return COLUMNS.keys() <= set(header)


def read_feedback(hub: Hub, source: Source) -> Iterator[dict[str, Any]]:
    """The rows of a source of votes; their cells may hold anything.

    Raises:
        HanjulError: it is no table.
    """
    if isinstance(source, HubSource):
        tables = read_hub(hub, source, COLUMNS)
    else:
        tables = [read_file(source, COLUMNS, str(source))]
    for table in tables:
        log(f"{table.where}: votes of visitors, {counted(len(table.rows), 'row')}")
        for _, cells in table.rows:
            yield dict(zip(table.header, cells, strict=False))  # a row that ends early lacks columns


def _first_file(hub: Hub, source: Source) -> Path | None:
    """The first JSONL file of a source, where a feedback dataset would have it; None where there is none."""
    if isinstance(source, Path):
        return source if source.suffix == JSONL else None
    name: str | None = source.uri.path_in_repo
    if not name:
        files = hub.api.list_repo_files(source.uri.id, repo_type="dataset", revision=source.uri.revision)
        name = next((file for file in sorted(files) if file.startswith(f"{FOLDER}/")), None)
    return hub.file(source.uri, name) if name and name.endswith(JSONL) else None
