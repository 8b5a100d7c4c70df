"""Columns of every type that `datasets` has, in a Parquet file and in memory."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from datasets import Array2D, Dataset, Features, Json, LargeList, List, Translation, TranslationVariableLanguages, Value

from pipelines.errors import HanjulError
from pipelines.rows import Row
from scripts.tables.arrow_columns import arrow_table, read_parquet
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.table import COLUMNS, Table

pytestmark = pytest.mark.field
NAMES = COLUMNS | OPTIONAL


def tables(folder: Path, column: str, feature: Any, cell: Any) -> list[Table]:
    """A row with this cell, as a dataset and as a Parquet file of `datasets`."""
    row = {"product": "우산", "values": "든든한", "ad_copy": "가"}
    features = Features({**dict.fromkeys(row, Value("string")), column: feature})
    dataset = Dataset.from_list([row | {column: cell}], features)
    dataset.to_parquet(folder / "a.parquet")
    return [
        arrow_table(dataset.with_format("arrow")[:], dataset.features, NAMES, "a dataset", "split train"),
        read_parquet((folder / "a.parquet").read_bytes(), NAMES, "a file"),
    ]


def only_row(table: Table) -> Row:
    (row,) = to_rows(table.records(COLUMNS, OPTIONAL), "imported")
    return row


@pytest.mark.parametrize(
    ("feature", "cell", "expected"),
    [
        (Value("int16"), 7, "7"),
        (Value("float32"), 1.1, "1.1"),
        (Value("float64"), 2080.0, "2080"),
        (Value("large_string"), "007", "007"),
        (Value("string_view"), "None", "None"),
        (Value("binary"), "우산".encode(), "우산"),
        (Value("null"), None, ""),
        (Value("timestamp[ns]"), datetime(2026, 11, 22), "2026-11-22"),
        (Value("time64[us]"), time(9), "09:00:00"),
        (Translation(["ko", "en"]), {"ko": "우산", "en": "umbrella"}, "우산"),
        (TranslationVariableLanguages(["ko", "en"]), {"ko": "우산", "en": "umbrella"}, "우산"),
        (Json(), "우산", "우산"),
    ],
)
def test_texts(tmp_path: Path, feature: Any, cell: Any, expected: str) -> None:
    assert [only_row(table)["product"] for table in tables(tmp_path, "product", feature, cell)] == [expected] * 2


@pytest.mark.parametrize(
    ("feature", "cell"),
    [
        (List(Value("string")), ["고운", "가벼운"]),
        (LargeList(Value("large_string")), ["고운", None, "가벼운"]),
        (List(Json()), ["고운", {"name": "가벼운"}]),
        (Json(), ["고운", "가벼운"]),
        ({"a": List(Value("string")), "b": Value("string")}, {"a": ["고운", "가벼운"], "b": None}),
        (Value("string"), "['고운' '가벼운']"),
    ],
)
def test_values(tmp_path: Path, feature: Any, cell: Any) -> None:
    assert [only_row(table)["values"] for table in tables(tmp_path, "values", feature, cell)] == [
        ["고운", "가벼운"]
    ] * 2


@pytest.mark.parametrize(
    ("feature", "cell", "said"),
    [
        (Value("bool"), True, "there is bool True"),
        (Value("duration[s]"), timedelta(1), "there is timedelta"),
        (Array2D((1, 2), "int32"), [[1, 2]], "there is [1, 2]"),
        (List(List(Value("string"))), [["고운", "가벼운"]], "there is ['고운', '가벼운']"),
    ],
)
def test_what_is_no_text_is_said_with_its_row(tmp_path: Path, feature: Any, cell: Any, said: str) -> None:
    for table in tables(tmp_path, "values", feature, cell):
        with pytest.raises(HanjulError, match="Row 1: ") as error:
            only_row(table)
        assert said in str(error.value)
