"""The slogans that ship with Hanjul, and files like theirs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import HanjulError
from pipelines.planning.taxonomy import load_taxonomy
from pipelines.rows import make_row
from pipelines.slogans import SLOGANS, load_slogans

LINE = {"product": "침대", "values": ["과학적인"], "ad_copy": "침대는 가구가 아닙니다. 침대는 과학입니다."}


def write(folder: Path, *slogans: object) -> Path:
    path = folder / "slogans.jsonl"
    lines = (slogan if isinstance(slogan, str) else json.dumps(slogan, ensure_ascii=False) for slogan in slogans)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def shipped() -> list[dict[str, object]]:
    return [json.loads(line) for line in SLOGANS.read_text(encoding="utf-8").splitlines()]


def test_shipped_slogans_are_many_and_of_the_taxonomy():
    rows = load_slogans()
    assert len(rows) == len(shipped()) >= 120
    categories = {row["category"] for row in rows}
    assert len(categories) >= 25
    assert categories <= {category.name for category in load_taxonomy()}
    assert {row["source"] for row in rows} == {"slogan"}


def test_no_shipped_line_stands_twice_in_another_spelling():
    letters = ["".join(filter(str.isalnum, row["ad_copy"])) for row in load_slogans()]
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("example", shipped(), ids=lambda example: example["ad_copy"])
def test_each_shipped_line_says_whose_it_is(example):
    assert list(example) == ["brand", "product", "values", "ad_copy", "category", "year"]
    assert example["brand"].strip() == example["brand"] != ""
    assert example["product"] != example["brand"]
    assert 1 <= len(example["values"]) <= 2
    assert any("가" <= letter <= "힣" for letter in example["ad_copy"])
    assert example["year"] is None or 1950 <= example["year"] <= 2025


def test_no_brand_has_more_than_two_shipped_lines():
    brands = Counter(example["brand"] for example in shipped())
    assert [brand for brand, lines in brands.items() if lines > 2] == []


def test_a_row_is_exactly_this(tmp_path):
    path = write(tmp_path, {"brand": "에이스침대", **LINE, "category": "가구", "year": 1993})
    assert load_slogans(path) == [make_row(**LINE, category="가구", source="slogan")]


def test_three_keys_are_enough_and_order_stays(tmp_path):
    second = {"product": " 라면 ", "values": ["우애 "], "ad_copy": "형님 먼저  아우 먼저"}
    path = write(tmp_path, "\ufeff" + json.dumps(LINE), "", second)
    assert load_slogans(path) == [
        make_row(**LINE, source="slogan"),
        make_row("라면", ["우애"], "형님 먼저 아우 먼저", source="slogan"),
    ]


def test_a_line_separator_within_a_string_ends_no_line(tmp_path):
    (row,) = load_slogans(write(tmp_path, {**LINE, "ad_copy": "형님 먼저\u2028아우 먼저"}))
    assert row["ad_copy"] == "형님 먼저 아우 먼저"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "Not JSON"),
        ("product,values,ad_copy", "Not JSON"),
        ("[" * 100_000, "Not JSON"),
        ("9" * 5_000, "Not JSON"),
        ('["침대"]', "Not a JSON object"),
        ("null", "Not a JSON object"),
        *(({name: LINE[name] for name in LINE if name != key}, f"`{key}` is missing") for key in LINE),
        ({**LINE, "product": None}, "`product` must be text, not empty"),
        ({**LINE, "product": "\u3000"}, "`product` must be text, not empty"),
        ({**LINE, "ad_copy": ["침대"]}, "`ad_copy` must be text, not empty"),
        ({**LINE, "ad_copy": ""}, "`ad_copy` must be text, not empty"),
        (json.dumps({**LINE, "ad_copy": "\ud800"}), "`ad_copy` must be text, not empty"),
        ({**LINE, "values": "과학적인"}, "`values` must be a list of words"),
        ({**LINE, "values": []}, "`values` must be a list of words"),
        ({**LINE, "values": [" "]}, "`values` must be a list of words"),
        ({**LINE, "values": [1]}, "`values` must be a list of words"),
        ({**LINE, "category": None}, "`category` must be text"),
        ({**LINE, "category": 3}, "`category` must be text"),
        (LINE, "`ad_copy` stands in line 1 already"),
        ({**LINE, "product": "돌침대", "ad_copy": LINE["ad_copy"] + " "}, "`ad_copy` stands in line 1 already"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path, line, message):
    path = write(tmp_path, LINE, "", line)
    with pytest.raises(HanjulError) as raised:
        load_slogans(path)
    assert raised.value.what.startswith(message)
    assert raised.value.where == f"{path}, line 3"


def test_files_without_slogans(tmp_path):
    with pytest.raises(HanjulError, match="cannot be read"):
        load_slogans(tmp_path / "nowhere.jsonl")
    with pytest.raises(HanjulError, match="cannot be read"):
        load_slogans(tmp_path)
    with pytest.raises(HanjulError, match="holds no slogans"):
        load_slogans(write(tmp_path, " "))
    korean = tmp_path / "cp949.jsonl"
    korean.write_bytes(json.dumps(LINE, ensure_ascii=False).encode("cp949"))
    with pytest.raises(HanjulError, match="give a JSONL file in UTF-8"):
        load_slogans(korean)
