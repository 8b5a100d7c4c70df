"""Parquet and datasets: columns with types, read as what these mean."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import HanjulError
from scripts.tables.table import Names, Table, column_of


def read_parquet(content: bytes, names: Names, where: str) -> Table:
    """The table of a Parquet file.

    Raises:
        HanjulError: it is broken, or a column of ours holds no text.
    """
    from datasets import Features

    try:
        found = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError) as error:
        raise HanjulError(f"The Parquet file is broken: {error}", where, "write it again") from error
    # Only a file of `datasets` says more of its columns than Arrow does, and Arrow has types that `datasets` has not.
    told = b"huggingface" in (found.schema.metadata or {})
    return arrow_table(found, Features.from_arrow_schema(found.schema) if told else {}, names, where, "Parquet")


def arrow_table(found: pa.Table, features: dict[str, Any], names: Names, where: str, form: str) -> Table:
    """A table of Arrow, of which the columns of ours are read; all others are empty.

    Args:
        features: what `datasets` knows of the columns, by name.

    Raises:
        HanjulError: a column of ours holds pictures or sounds.
    """
    columns: list[Iterable[Any]] = []
    for name, column in zip(found.column_names, found.columns, strict=True):
        if column_of(name, names) is None:
            columns.append(repeat(None, found.num_rows))
            continue
        if pa.types.is_float32(column.type):
            column = column.cast(pa.string())  # 1.1, which a float of Python would make 1.100000023841858
        try:
            columns.append([_meant(features.get(name), cell) for cell in column.to_pylist()])
        except HanjulError as error:
            raise HanjulError(f"The column {name}: {error.what}", where, "give a column of text") from error
    rows = list(enumerate(zip(*columns, strict=True), 1))
    return Table(where, form, found.column_names, "Row", rows)


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
