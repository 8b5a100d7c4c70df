"""Columns of every type that `datasets` has, in a Parquet file and in memory."""

from __future__ import annotations

import json
import math
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import (
    Array2D,
    Dataset,
    Features,
    Image,
    Json,
    LargeList,
    List,
    Translation,
    TranslationVariableLanguages,
    Value,
)

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
        (Value("float32"), math.nan, ""),
        (Value("float32"), 1e10, "10000000000"),
        (Value("float16"), 1.1, "1.1"),
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


@pytest.mark.parametrize(
    "feature",
    [
        List(Value("float32")),
        LargeList(Value("float32")),
        List(Value("float32"), length=3),
        {"a": List(Value("float32"))},
        List({"a": Value("float32")}),
    ],
)
def test_short_floats_at_every_depth(tmp_path: Path, feature: Any) -> None:
    cells: list[Any] = [1.1, math.nan, 1e10]
    if isinstance(feature, List) and isinstance(feature.feature, dict):
        cells = [{"a": cell} for cell in cells]
    for table in tables(tmp_path, "values", feature, {"a": cells} if isinstance(feature, dict) else cells):
        assert only_row(table)["values"] == ["1.1", "10000000000"]


def test_a_dictionary_of_short_floats() -> None:
    column = pa.array([1.1], pa.float32()).dictionary_encode()
    found = pa.table({"product": column, "values": ["든든한"], "ad_copy": ["가"]})
    assert only_row(arrow_table(found, {}, NAMES, "a file", "Parquet"))["product"] == "1.1"


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"{",
        b"\xff",
        b"3",
        json.dumps({"info": {"features": {"product": {"_type": "Nothing"}}}}).encode(),
        json.dumps({"info": {"features": {"product": {"_type": "ClassLabel"}}}}).encode(),
    ],
)
def test_a_file_that_says_of_its_columns_what_nobody_understands(tmp_path: Path, told: bytes) -> None:
    found = pa.table({"product": ["우산"], "values": ["든든한"], "ad_copy": ["가"]})
    pq.write_table(found.replace_schema_metadata({b"huggingface": told}), tmp_path / "a.parquet")
    with pytest.raises(HanjulError, match="What the Parquet file says of its columns cannot be read: "):
        read_parquet((tmp_path / "a.parquet").read_bytes(), NAMES, "a file")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"\xff\xfe"]).view(pa.string()),
        pa.array([2**30], pa.int32()).view(pa.date32()),
        pa.array([2**62]).view(pa.timestamp("ms")),
    ],
    ids=["letters", "days", "times"],
)
def test_cells_that_cannot_be(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"product": column, "values": ["든든한"], "ad_copy": ["가"]}), tmp_path / "a.parquet")
    with pytest.raises(HanjulError, match="The column product cannot be read: "):
        read_parquet((tmp_path / "a.parquet").read_bytes(), NAMES, "a file")


def test_a_picture_that_is_not_read_matters_to_nobody(tmp_path: Path) -> None:
    for table in tables(tmp_path, "line", Image(), {"bytes": b"a", "path": None}):
        assert only_row(table)["ad_copy"] == "가"


def test_a_name_of_a_column_that_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"product": ["우산"]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes().replace(b"product", b"\xff\xfeoduct")
    with pytest.raises(HanjulError, match="The Parquet file is broken: "):
        read_parquet(content, NAMES, "a file")
