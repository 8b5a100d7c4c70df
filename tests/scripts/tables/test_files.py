"""Files as people have them: encodings, separators, kinds, and what only calls itself a table."""

from __future__ import annotations

import csv
import gzip
import io
import json
import unicodedata
import zipfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from pipelines.errors import HanjulError
from pipelines.rows import normalise
from scripts.tables.files import read_file
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import records_of
from scripts.tables.table import COLUMNS
from tests.scripts.tables.given import CSV, ROW, rows_in, rows_of, sentence, written

pytestmark = pytest.mark.field
NAMES = [
    "rows[1].csv",
    "rows*.csv",
    "rows?.csv",
    "~.csv",
    "내 카피 (최종).csv",
    "a::b.csv",
    "hf:a.csv",
    "a%20b.csv",
    "#1.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_a_path(tmp_path: Path, name: str) -> None:
    for decoy in ("rows1.csv", "rows.csv", "rowsx.csv", "a b.csv", "a.csv"):
        written(tmp_path, CSV.replace("우산", "장갑"), decoy)
    assert rows_in(tmp_path, CSV, name) == [ROW]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write(
    tmp_path: Path, encoding: str, separator: str, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end)
    writer.writerows([["상품", "가치", "카피"], ["우산", "든든한, 가벼운", f'"비;보다"{end}먼저|펴지는\t마음, 늘']])
    [(product, values, line)] = rows_in(tmp_path, file.getvalue().encode(encoding))
    assert (product, values, line) == ("우산", ["든든한", "가벼운"], '"비;보다" 먼저|펴지는 마음, 늘')
    said = capsys.readouterr().err
    parted = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[separator]
    assert f"CSV in {encoding.removesuffix('-sig').upper()}, parted by {parted}, 1 row" in said


@pytest.mark.parametrize("name", ["A.CSV", "a.tsv", "a.txt", "a.Csv.GZ"])
def test_endings_of_names(tmp_path: Path, name: str) -> None:
    content = CSV.encode()
    assert rows_in(tmp_path, gzip.compress(content) if name.endswith("GZ") else content, name) == [ROW]


def test_json_that_is_packed(tmp_path: Path) -> None:
    line = json.dumps({"상품": ROW[0], "가치": ROW[1], "카피": ROW[2]})
    assert rows_in(tmp_path, gzip.compress(f"{line}\n\n{line}\n".encode()), "a.jsonl.gz") == [ROW, ROW]


def test_the_line_by_which_excel_tells_the_separator(tmp_path: Path) -> None:
    assert rows_in(tmp_path, "sep=;\r\n" + CSV.replace(",", ";")) == [ROW]
    path = written(tmp_path, "sep=;\r\n상품;가치;카피\r\n우산;든든한\r\n")
    assert "Line 3 has 2 cells" in sentence(None, path)


@pytest.mark.parametrize(
    ("header", "line", "tone"),
    [
        ("상품,가치,카피,tone", "우산,든든한,가", ""),
        ("상품,가치,카피,tone,비고", "우산,든든한,가,따뜻한", "따뜻한"),
        ("상품,카피,가치1,가치2,가치3", "우산,가,든든한", ""),
    ],
)
def test_excel_leaves_out_separators_at_the_end_of_a_line(tmp_path: Path, header: str, line: str, tone: str) -> None:
    path = written(tmp_path, f"{header}\n{line}\n")
    (row,) = to_rows(records_of([read_file(path, COLUMNS | OPTIONAL, "a")], COLUMNS, OPTIONAL), "imported")
    assert (row["product"], row["values"], row["ad_copy"], row["tone"]) == ("우산", ["든든한"], "가", tone)


def test_a_cell_of_any_length(tmp_path: Path) -> None:
    assert rows_in(tmp_path, f"상품,가치,카피\n우산,든든한,{'가' * 200_000}\n") == [
        ("우산", ["든든한"], "가" * 200_000)
    ]


def test_words_stay_words(tmp_path: Path) -> None:
    products = ["2080", "", "007", "None", "null", "N/A", "TRUE", "1e5", "2026-11-22", "-0"]
    content = "상품,가치,카피\n" + "".join(f"{product},든든한,NA\n" for product in products)
    assert rows_in(tmp_path, content) == [(product, ["든든한"], "NA") for product in products]


def test_a_column_that_nobody_needs_never_matters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"우산,든든한,{number}번째 카피,{'검토함' if number >= 11000 else ''}\n" for number in range(11050)]
    assert len(rows_in(tmp_path, "상품,가치,카피,비고\n" + "".join(lines))) == 11050
    assert "columns passed over: 비고" in capsys.readouterr().err
    mixed = [
        {"상품": "우산", "가치": ["든든한"], "카피": "가", "비고": note} for note in (1, "검토함", [1], {"a": None})
    ]
    assert len(rows_in(tmp_path, "\n".join(map(json.dumps, mixed)), "a.jsonl")) == 4


@pytest.mark.parametrize(
    ("header", "cells", "values"),
    [
        ("가치1,가치2", "든든한,가벼운", ["든든한", "가벼운"]),
        ("가치 1,가치_2,가치3", '"든든한, 가벼운",,든든한', ["든든한", "가벼운"]),
        ("가치,가치", "든든한,가벼운", ["든든한", "가벼운"]),
        ("value,가치", "든든한,가벼운", ["든든한", "가벼운"]),
        ("value,가치", ",가벼운", ["가벼운"]),
        ("values,value", "든든한,3", ["든든한"]),
        ("values 1,value,VALUES2", "든든한,3,가벼운", ["든든한", "가벼운"]),
    ],
)
def test_columns_of_values_are_joined(tmp_path: Path, header: str, cells: str, values: list[str]) -> None:
    assert rows_in(tmp_path, f"상품,{header},카피\n우산,{cells},가\n") == [("우산", values, "가")]


def test_two_columns_that_are_one_say_the_same_or_which_differ_is_said(tmp_path: Path) -> None:
    content = "제품,상품,가치,카피\n우산, 우산,든든한,가\n,장갑,든든한,가\n"
    assert [row[0] for row in rows_in(tmp_path, content)] == ["우산", "장갑"]
    said = sentence(None, written(tmp_path, content + "우산,장갑,든든한,가\n"))
    assert "Line 4: 2 columns that are all product say different things: 우산, 장갑" in said


def test_a_column_by_our_own_name_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows_in(tmp_path, "line,product,values,ad_copy,카피\n7,우산,든든한,가,나\n8,우산,든든한,,나\n") == [
        ("우산", ["든든한"], "가"),
        ("우산", ["든든한"], ""),
    ]
    assert "columns passed over: line, 카피" in capsys.readouterr().err


@pytest.mark.parametrize(
    "header",
    [
        unicodedata.normalize("NFD", "상품,담고자 하는 가치,카피라이팅"),
        " 상품 ,\ufeff가치,\u200b카피",
        "Product,VALUES,Ad Copy",
        '"\ufeff상품",담고자하는 가치,카피',
        '\ufeff\ufeff"상품",가치,카피',
    ],
)
def test_names_of_columns_however_they_are_typed(tmp_path: Path, header: str) -> None:
    assert rows_in(tmp_path, CSV.replace("상품,가치,카피", header)) == [ROW]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("상품,가치,카피\n우산,든든한\n", "Line 2 has 2 cells, and the first line 3"),
        ("상품,가치,카피\n\n우산,든든한,비보다 먼저, 펴진다\n", "Line 3 has 4 cells, and the first line 3"),
        (
            '상품,가치,카피\n우산,"든든한\n가벼운",가\n우산,"든든한,나\n',
            "After line 3: not CSV: unexpected end of data",
        ),
        ('상품,가치,카피\n우산,"든든"한,가\n', "After line 1: not CSV"),
        ("상품,가치,카피\n", "There are no rows"),
        ("\ufeff", "The input is empty"),
        ("", "The input is empty"),
        (b"\xff\xfe", "The input is empty"),
        (b"\xff\xfea", "begins like UTF-16, but is broken"),
        ("상품,가치,카피\n우\0산,든든한,가\n", "Line 2 holds a NUL byte"),
        (CSV.encode() + b"\xff\xff", "neither UTF-8 nor CP949"),
        ("품목;가치;카피\n우산;든든한;가\n".encode("cp949"), "read as CSV in CP949, parted by semicolons"),
        ("품목,가치,카피\n우산,든든한,가\n", "There is no column product (product / 상품 / 제품)"),
        ("상품,가치,카피\n우산,\"['든든한', '가벼\",가\n", "Line 2: a list that cannot be read"),
        ("상품,가치,카피,merit\n우산,든든한,가,best\n", "Line 2: the merit is best"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind"),
        (b"PK\x03\x04", "The Excel workbook is broken"),
        (b"\x1f\x8b\x08", "The gzip file is broken"),
        (gzip.compress(b" \n", mtime=0), "The input is empty"),
        (b"PAR1", "The Parquet file is broken"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = written(tmp_path, content)
    assert said in sentence(None, path)
    assert str(path) in sentence(None, path)


def test_cells_that_hold_nothing_behind_the_last_column(tmp_path: Path) -> None:
    assert (
        rows_in(tmp_path, "상품,가치,카피,,\n우산,든든한,가\n우산,든든한,가,,,\n,,,,\n")
        == [("우산", ["든든한"], "가")] * 2
    )


@pytest.mark.parametrize("name", ["a.xls", "a.numbers", "a.docx", "a", "a.gz", ".csv", "a.csv.zip"])
def test_kinds_that_are_not_read(tmp_path: Path, name: str) -> None:
    assert ".xlsx, also as .gz" in sentence(None, written(tmp_path, CSV, name))


def test_a_zip_archive_of_something_else(tmp_path: Path) -> None:
    for inside, said in (
        ("Index/Document.iwa", "a Numbers file"),
        ("content.xml", "OpenDocument"),
        ("a.csv", "zip archive"),
    ):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(inside, CSV)
        assert said in sentence(None, written(tmp_path, file.getvalue()))


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def test_the_sheet_that_has_the_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        [],
        ["상품", "가치", "카피", "비고"],
        [2080, "든든한, 가벼운", "가\n나"],
        [],
        [2.5, "['든든한']", date(2026, 1, 2), 1, None, " "],
    ]
    content = workbook(("설명", [["읽어 주세요"]]), ("카피 2026", rows))
    expected = [("2080", ["든든한", "가벼운"], "가 나"), ("2.5", ["든든한"], "2026-01-02")]
    assert rows_in(tmp_path, content, "a.xlsx") == rows_in(tmp_path, content, "b.csv") == expected
    said = capsys.readouterr().err
    assert "Excel workbook, sheet 카피 2026, the others of 2 passed over, 2 rows; columns passed over: 비고" in said


def test_workbooks_that_cannot_be_imported(tmp_path: Path) -> None:
    whole = workbook(("하나", [["상품", "가치", "카피"], ["우산", "든든한", True]]))
    assert "Row 2: text is expected, and there is bool True" in sentence(None, written(tmp_path, whole, "a.xlsx"))
    assert "is broken" in sentence(None, written(tmp_path, whole[: len(whole) // 2], "b.xlsx"))
    assert "There are no rows" in sentence(None, written(tmp_path, workbook(("빈 장", [])), "c.xlsx"))
    for inside in ("<a/>", "<workbook><sheets><sheet/></sheets></workbook>"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("xl/workbook.xml", inside)
        assert "The Excel workbook is broken" in sentence(None, written(tmp_path, file.getvalue(), "e.xlsx"))
    wide = workbook(("하나", [["상품", "가치", "카피"], ["우산", "든든한", "가", None, "나"]]))
    assert "Row 2 has 5 cells, and the first line 3" in sentence(None, written(tmp_path, wide, "f.xlsx"))
    assert "named .xlsx, but holds something else" in sentence(None, written(tmp_path, CSV, "d.xlsx"))


def test_workbooks_in_a_cipher_or_packed_in_an_unknown_way(tmp_path: Path) -> None:
    whole = workbook(("하나", [["상품", "가치", "카피"], ["우산", "든든한", "가"]]))
    assert rows_in(tmp_path, whole, "a.xlsx")
    for at, patched in ((6, b"\x01\x00"), (8, b"\x63\x00")):  # flags, and the way of packing
        content = bytearray(whole)
        for mark, behind in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            place = content.find(mark)
            while place >= 0:
                content[place + at + behind : place + at + behind + 2] = patched
                place = content.find(mark, place + 4)
        assert "The Excel workbook is broken: " in sentence(None, written(tmp_path, bytes(content), "b.xlsx"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"상품": "우산", "상품": "장갑"}]', "Row 1 gives a key twice: 상품"),
        ('{"상품": "우산"}\n{"상품": ', "line 2: cannot be read as JSON"),
        ('{"상품": "우산"}\n{"상품": "가", "상품": "나"}', "Line 2 gives a key twice: 상품"),
        ('[{"상품": "우산"},', "not a table"),
        ("[" * 9999, "not a table"),
        ("[1]", "row 1 is no object"),
        ("3", "not a table"),
        ("[]", "There are no rows"),
        ('[{"상품": "\\ud800", "가치": "든든한", "카피": "가"}]', "Row 1: half of a letter"),
        ('{"상품": "우산", "가치": "든든한", "카피": "가"}\n\n{"상품": true}', "Line 3: text is expected"),
        ('[{"상품": "우산", "가치": "든든한"}]', "There is no column ad_copy"),
    ],
)
def test_json_that_cannot_be_imported(tmp_path: Path, content: str, said: str) -> None:
    for name in ("a.json", "a.jsonl"):
        assert said in sentence(None, written(tmp_path, content, name))


def test_json_of_columns(tmp_path: Path) -> None:
    content = '{"상품": ["우산", 2080], "가치": [["든든한"], "가벼운"], "카피": ["가", null]}'
    assert rows_in(tmp_path, content, "a.json") == [("우산", ["든든한"], "가"), ("2080", ["가벼운"], "")]


def test_a_key_that_nobody_needs_may_stand_twice_in_an_object_of_its_own(tmp_path: Path) -> None:
    assert rows_in(tmp_path, '[{"상품": "우산", "가치": "든든한", "카피": "가", "비고": {"a": 1, "a": 2}}]', "a.json")


def test_parquet_of_pandas_and_of_datasets(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, List, Value

    table = pa.table(
        {
            "상품": pa.array(["우산", "장갑"]).dictionary_encode(),
            "가치": pa.array([["든든한", None], []], pa.large_list(pa.large_string())),
            "카피": pa.array([1.1, None], pa.float32()),
            "비고": pa.array([{"a": 1}, None]),
        }
    )
    pq.write_table(table, tmp_path / "a[1].parquet")
    assert rows_of(None, tmp_path / "a[1].parquet") == [("우산", ["든든한"], "1.1"), ("장갑", [], "")]
    label = ClassLabel(names=["든든한", "가벼운"])
    features = Features({"상품": label, "가치": List(label), "카피": Value("int64")})
    Dataset.from_dict({"상품": [1, None], "가치": [[0, 1], None], "카피": [7, 8]}, features).to_parquet(
        tmp_path / "b.parquet"
    )
    assert rows_of(None, tmp_path / "b.parquet") == [("가벼운", ["든든한", "가벼운"], "7"), ("", [], "8")]


@given(st.binary(max_size=80), st.sampled_from(["a.csv", "a.json", "a.xlsx", "a.parquet", "a.csv.gz"]))
def test_any_bytes_are_rows_or_a_known_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    for start in (b"", CSV.encode(), b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08"):
        try:
            rows_in(tmp_path_factory.getbasetemp(), start + content, name)
        except HanjulError as error:
            assert error.where


TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=9).filter(normalise)


@given(
    st.lists(TEXT, min_size=1, max_size=4), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_whatever_a_cell_holds_comes_back(
    tmp_path_factory: pytest.TempPathFactory, products: list[str], separator: str, encoding: str
) -> None:
    file = io.StringIO(newline="")
    rows = [[product, "든든한", "가"] for product in products]
    csv.writer(file, delimiter=separator).writerows([["상품", "가치", "카피"], *rows])
    found = rows_in(tmp_path_factory.getbasetemp(), file.getvalue().encode(encoding))
    assert [row[0] for row in found] == [normalise(product) for product in products]
