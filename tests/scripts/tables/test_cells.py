"""One cell at a time: what spreadsheets, pandas, numpy and JSON write down for a text or a list of values."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.errors import HanjulError
from pipelines.text.tidy import clean_value
from scripts.tables.cells import text, values

TWO = ["든든한", "가벼운"]


@pytest.mark.field
@pytest.mark.parametrize(
    "cell",
    [
        "['든든한', '가벼운']",
        '["든든한", "가벼운"]',
        '["\\ub4e0\\ub4e0\\ud55c", "가벼운", null]',
        "['든든한' '가벼운']",
        "['든든한'\n '가벼운']",
        "['든든한', \"가벼운\", None]",
        "('든든한', '가벼운')",
        "{'든든한', '가벼운'}",
        "[든든한, 가벼운]",
        "[든든한, nan, 가벼운]",
        " ['든든한','가벼운'] ",
        ["든든한", "가벼운"],
        ("든든한", None, "가벼운", ""),
        [{"name": "든든한"}, {"name": "가벼운"}],
        {"name": ["든든한", "가벼운"]},
        {"ko": "든든한, 가벼운", "en": "strong"},
        {"ko": ["든든한", "가벼운"], "en": ["strong"]},
        "{'name': ['든든한', '가벼운']}",
        b"\xeb\x93\xa0\xeb\x93\xa0\xed\x95\x9c, \xea\xb0\x80\xeb\xb2\xbc\xec\x9a\xb4",
    ],
)
def test_a_list_however_it_is_spelt_is_its_values(cell: Any) -> None:
    assert values(cell) == TWO


@pytest.mark.field
@pytest.mark.parametrize(
    "sign", [",", "，", "、", "·", "ㆍ", "・", "•", ";", "；", "|", "｜", "\n", "\r\n", ", ", " · "]
)
def test_what_stands_between_values_parts_them(sign: str) -> None:
    assert values(f"든든한{sign}가벼운") == TWO


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1,000원, 2.5배", ["1,000원", "2.5배"]),
        ("1,000,000원,3·1절·A/S", ["1,000,000원", "3·1절", "A/S"]),
        ("24시간,365일", ["24시간", "365일"]),
        ("1,2,3", ["1", "2", "3"]),
        ("[한정] 특가", ["[한정] 특가"]),
        ("('23년형) 신제품, 가벼움", ["('23년형) 신제품", "가벼움"]),
        ('["강추"] 가벼움, 편함', ['["강추"] 가벼움', "편함"]),
        ('("오늘만") 특가', ['("오늘만") 특가']),
        ("{'신상'} 가벼움 [특가]", ["{'신상'} 가벼움 [특가]"]),
        ("None", ["None"]),
        ("N/A", ["N/A"]),
        ("든든한,,든든한, ", ["든든한"]),
        ("", []),
        (None, []),
        (math.nan, []),
        ([], []),
        ({}, []),
        (7, ["7"]),
        ([1, 2.0, 2.5], ["1", "2", "2.5"]),
        ("[1, 2.5]", ["1", "2.5"]),
        (["1, 2"], ["1, 2"]),
        ("\ufeff든\u200b든한", ["든든한"]),
    ],
)
def test_values_that_are_easily_misread(cell: Any, expected: list[str]) -> None:
    assert values(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2080", "2080"),
        ("007", "007"),
        ("null", "null"),
        (2080, "2080"),
        (2080.0, "2080"),
        (2.5, "2.5"),
        (Decimal("2080.00"), "2080"),
        (math.nan, ""),
        (None, ""),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 9, 30), "2026-11-22T09:30:00"),
        ("\ufeff우\u200b산\u2060", "우산"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        (["우산"], "우산"),
        ({"ko": "우산", "en": "umbrella"}, "우산"),
        ({"name": None, "text": "우산"}, "우산"),
        ([], ""),
    ],
)
def test_a_text_is_what_stands_there(cell: Any, expected: str) -> None:
    assert text(cell) == expected


@pytest.mark.parametrize(
    ("read", "cell", "said"),
    [
        (text, True, "there is bool True"),
        (text, math.inf, "there is float inf"),
        (text, ["우산", "장갑"], "there is ['우산', '장갑']"),
        (text, {"en": "umbrella", "fr": "parapluie"}, "a record is not text"),
        (text, b"\xff\xfe", "bytes that are no UTF-8"),
        (text, "\ud800", "half of a letter"),
        (values, "['든든한', '가벼", "a list that cannot be read: \"['든든한', '가벼\""),
        (values, "['\\x']", "a list that cannot be read"),
        (values, "['\\ud800']", "half of a letter"),
        (values, [["든든한", "가벼운"]], "there is ['든든한', '가벼운']"),
        (text, [[[["우산"]]]], "there is ["),
        (values, [True], "there is bool True"),
    ],
)
def test_what_is_no_text_is_a_sentence(read: Any, cell: Any, said: str) -> None:
    with pytest.raises(HanjulError) as error:
        read(cell)
    assert said in str(error.value)


CELLS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.decimals(allow_nan=False),
    lambda cells: st.lists(cells, max_size=3) | st.dictionaries(st.text(), cells, max_size=3),
    max_leaves=5,
)


@given(CELLS | st.text("[](){}'\"\\, 가n\n", max_size=30))
@example("[" * 5000)
@example("['" + "\\" * 101)
@example("['가', " * 3000)
def test_any_cell_is_read_or_a_known_error(cell: Any) -> None:
    for read in (text, values):
        try:
            found = read(cell)
        except HanjulError as error:
            assert str(error)
        else:
            assert found.encode() is not None if isinstance(found, str) else "" not in found


@given(
    st.lists(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=9).filter(clean_value), max_size=4)
)
def test_a_list_that_python_spells_comes_back(words: list[str]) -> None:
    expected = list(dict.fromkeys(map(clean_value, words)))
    assert values(repr(words)) == values(words) == expected
    assert values("[" + " ".join(map(repr, words)) + "]") == expected
