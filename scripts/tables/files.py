"""One file as a table: what it is says its content, and only of text its name."""

from __future__ import annotations

from pathlib import Path, PurePath

from pipelines.errors import HanjulError
from scripts.tables.arrow_columns import read_parquet
from scripts.tables.bytes_to_text import OLE, PARQUET, ZIP, decoded, unpacked
from scripts.tables.delimited import read_delimited
from scripts.tables.json_records import read_json
from scripts.tables.table import Names, Table
from scripts.tables.workbook import read_workbook

JSON = (".json", ".jsonl", ".ndjson")
BINARY = (".parquet", ".xlsx")
KINDS = (*JSON, ".csv", ".tsv", ".txt", *BINARY)


def ending(name: str) -> str:
    """The ending of a file's name that says what it is, without that of gzip."""
    path = PurePath(name)
    return PurePath(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def check_kind(name: str) -> None:
    """Look at the name of a file that is to be imported.

    Raises:
        HanjulError: it ends like none that is read.
    """
    if ending(name) not in KINDS:
        raise HanjulError(
            "This kind of file cannot be imported", name, f"give one of {', '.join(KINDS)}, also as .gz, or hf://…"
        )


def read_file(path: Path, names: Names, where: str) -> Table:
    """The table of a file, which is read as CSV where neither its content nor its name says what it is.

    Args:
        names: the columns that somebody needs, which tell one separator and one sheet from another.
        where: the file, for people.

    Raises:
        HanjulError: it cannot be read, or holds no table.
    """
    kind = ending(path.name)
    try:
        content = unpacked(path.read_bytes(), where)
    except OSError as error:
        raise HanjulError("The input cannot be read", where, f"check the path and its permissions: {error}") from error
    if content.startswith(PARQUET):
        return read_parquet(content, names, where)
    if content.startswith(ZIP):
        return read_workbook(content, names, where)
    if content.startswith(OLE):
        raise HanjulError(
            "This is an Excel workbook of the old kind, or with a password",
            where,
            "save it as .xlsx without one, or CSV",
        )
    if kind in BINARY:
        raise HanjulError(f"The file is named {kind}, but holds something else", where, "check what it was saved as")
    text, encoding = decoded(content, where)
    if not text.strip():
        raise HanjulError("The input is empty", where, "give a file with at least one row")
    return read_json(text, encoding, where) if kind in JSON else read_delimited(text, encoding, names, where)
