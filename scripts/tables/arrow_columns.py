"""Parquet and datasets: columns with types, read as what these mean."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import HanjulError
from scripts.tables.table import Names, Table, places_of

#: What columns raise that do not hold what they say: letters that are no UTF-8, days that no calendar has.
BROKEN = (ValueError, OverflowError, TypeError, LookupError, AttributeError)


def read_parquet(content: bytes, names: Names, where: str) -> Table:
    """The table of a Parquet file.

    Raises:
        HanjulError: it is broken, or a column of ours holds no text.
    """
    from datasets import Features

    try:
        found = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last one: of a column's name
        raise HanjulError(f"The Parquet file is broken: {error}", where, "write it again") from error
    # Only a file of `datasets` says more of its columns than Arrow does, and Arrow has types that `datasets` has not.
    told = b"huggingface" in (found.schema.metadata or {})
    try:
        features = Features.from_arrow_schema(found.schema) if told else {}
    except BROKEN as error:
        what = f"What the Parquet file says of its columns cannot be read: {error}"
        raise HanjulError(what, where, "write it again") from error
    return arrow_table(found, features, names, where, "Parquet")


def arrow_table(found: pa.Table, features: dict[str, Any], names: Names, where: str, form: str) -> Table:
    """A table of Arrow, of which the columns of ours are read; all others are empty.

    Args:
        features: what `datasets` knows of the columns, by name.

    Raises:
        HanjulError: a column of ours holds pictures or sounds, or cells that cannot be read.
    """
    ours = {place for those in places_of(found.column_names, names).values() for place in those}
    columns: list[Iterable[Any]] = []
    for place, (name, column) in enumerate(zip(found.column_names, found.columns, strict=True)):
        if place not in ours:
            columns.append(repeat(None, found.num_rows))
            continue
        try:
            cells = (_exact(column.type, cell) for cell in column.to_pylist())
            columns.append([_meant(features.get(name), cell) for cell in cells])
        except HanjulError as error:
            raise HanjulError(f"The column {name}: {error.what}", where, "give a column of text") from error
        except BROKEN as error:
            raise HanjulError(f"The column {name} cannot be read: {error}", where, "write the file again") from error
    rows = list(enumerate(zip(*columns, strict=True), 1))
    return Table(where, form, found.column_names, "Row", rows)


def _exact(kind: pa.DataType, cell: Any) -> Any:
    """A cell whose short floats are what somebody wrote, 1.1, where Python would make 1.100000023841858 of them."""
    if cell is None:
        return None
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return float(str(kind.to_pandas_dtype()(cell)))
    if pa.types.is_dictionary(kind):
        return _exact(kind.value_type, cell)
    if pa.types.is_struct(kind):
        return {field.name: _exact(field.type, cell[field.name]) for field in kind}
    if pa.types.is_nested(kind) and isinstance(cell, list) and hasattr(kind, "value_type"):
        return [_exact(kind.value_type, entry) for entry in cell]
    return cell


def _meant(feature: Any, cell: Any) -> Any:
    """A cell as its feature means it: of a label the name, of JSON what it holds, at every depth."""
    if feature is None or cell is None:
        return cell
    from datasets import ClassLabel, Json, LargeList, List, TranslationVariableLanguages

    if isinstance(feature, ClassLabel):
        return feature.names[cell] if 0 <= cell < len(feature.names) else None
    if isinstance(feature, Json):
        return json.loads(cell) if isinstance(cell, str) else cell
    if isinstance(feature, List | LargeList) and isinstance(cell, list):
        return [_meant(feature.feature, entry) for entry in cell]
    if isinstance(feature, TranslationVariableLanguages):
        return dict(zip(cell["language"], cell["translation"], strict=True))
    if isinstance(feature, dict):
        return {name: _meant(feature.get(name), entry) for name, entry in cell.items()}
    if hasattr(feature, "decode_example"):
        raise HanjulError(f"text is expected, and there is {type(feature).__name__}")
    return cell
