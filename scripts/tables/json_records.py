"""JSON and JSONL: a list of objects, an object of columns, or an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pipelines.errors import HanjulError
from scripts.tables.table import Table, listed, table_of_objects


def read_json(text: str, encoding: str, where: str) -> Table:
    """The table of a text.

    Raises:
        HanjulError: it is not JSON, or no table; the message names the line.
    """
    try:
        whole = _parsed(text)
    except HanjulError as error:
        if text.lstrip().startswith("["):
            raise HanjulError(f"The input is not a table: {error.what}", where, "give a list of objects") from error
        return _of_lines(text, encoding, where)
    if isinstance(whole, dict):
        columns = list(whole.values())
        if not columns or not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
            return _table([(1, whole)], "Row", f"JSON in {encoding}", where)
        whole = [dict(zip(whole, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if not isinstance(whole, list):
        raise HanjulError("The input is not a table", where, "give a list of objects")
    return _table(enumerate(whole, 1), "Row", f"JSON in {encoding}", where)


def _of_lines(text: str, encoding: str, where: str) -> Table:
    records = []
    # Not splitlines(): a JSON string may hold U+2028 and its kin.
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line.strip():
            try:
                records.append((number, _parsed(line)))
            except HanjulError as error:
                what = f"The input is not a table: line {number}: {error.what}"
                raise HanjulError(what, where, "give one JSON object a line") from error
    return _table(records, "Line", f"JSONL in {encoding}", where)


def _table(records: Iterable[tuple[int, Any]], unit: str, form: str, where: str) -> Table:
    records = list(records)
    for number, record in records:
        if not isinstance(record, dict):
            what = f"The input is not a table: {unit.lower()} {number} is no object"
            raise HanjulError(what, where, "give objects with product, values and ad_copy")
        if isinstance(record, _Twice):
            raise HanjulError(f"{unit} {number} gives a key twice: {listed(record)}", where, "name each key once")
    return table_of_objects(records, where, form, unit)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise HanjulError(f"cannot be read as JSON: {error}") from error


class _Twice(dict[str, Any]):
    """An object that gives a key twice, of which JSON keeps the last."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)
