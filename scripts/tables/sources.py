"""Find a table and read it: a file on this machine, a file or a dataset on the Hub, the corpus of Hanjul."""

from __future__ import annotations

from pathlib import Path

from pipelines import corpus
from pipelines.errors import HanjulError
from pipelines.text.counted import counted
from scripts.core.files import digest
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.tables.files import check_kind, read_file
from scripts.tables.hub_tables import HubSource, find_on_hub, read_hub
from scripts.tables.table import Names, Record, Table, listed, passed_over, table_of_objects

#: How a recipe names the rows that ship with Hanjul.
STARTER = "starter"
#: Of what is read from a table; raise it when the same file gives other rows.
VERSION = 2

Source = Path | HubSource


def identify(hub: Hub, source: str) -> tuple[Source, str]:
    """The source and what pins it: a sha of the Hub, or the hash of the file's content.

    Raises:
        HanjulError: it cannot be read, is empty, or of a kind that holds no table.
    """
    if source.startswith("hf://"):
        pinned = find_on_hub(hub, source)
        return pinned, str(pinned)
    if source == STARTER:
        return corpus.FOLDER, corpus.corpus_digest()
    path = Path(source)
    check_kind(source)
    try:
        identity, empty = digest(path), not path.read_bytes().strip()
    except OSError as error:
        raise HanjulError("The input cannot be read", source, f"check the path and its permissions: {error}") from error
    if empty:
        raise HanjulError("The input is empty", source, "give a file with at least one row")
    return path, identity


def read(hub: Hub, source: Source, required: Names, optional: Names) -> list[Record]:
    """The rows of a table, and on stderr what it was read as and which columns were passed over.

    Raises:
        HanjulError: it is no table, has no rows, or lacks a required column.
    """
    if source == corpus.FOLDER:
        return corpus_table().records(required, optional)
    names = required | optional
    if isinstance(source, HubSource):
        return records_of(read_hub(hub, source, names), required, optional)
    return records_of([read_file(source, names, str(source))], required, optional)


def records_of(tables: list[Table], required: Names, optional: Names) -> list[Record]:
    """The rows of tables as records of our columns, said on stderr.

    Raises:
        HanjulError: there is none, or a required column is missing.
    """
    if not any(table.rows for table in tables):
        where = tables[0].where if tables else ""
        raise HanjulError("There are no rows in the table", where, "give one with at least one row")
    for table in tables:
        others = passed_over(table.header, required | optional)
        passed = f"; columns passed over: {listed(others)}" if others else ""
        log(f"{table.where}: {table.form}, {counted(len(table.rows), 'row')}{passed}")
    return [record for table in tables if table.rows for record in table.records(required, optional)]


def corpus_table() -> Table:
    """The rows that ship with Hanjul."""
    return table_of_objects(enumerate(corpus.load_corpus(), 1), "pipelines/corpus", "corpus of Hanjul", "Row")
