from __future__ import annotations

import json

import pytest

from pipelines.rows import make_row
from pipelines.slogans import SLOGANS, load_slogans
from pipelines.synthesis.examples import SEXIST, exemplary_slogans, is_exemplary


def test_slogans_shown_to_a_teacher_do_what_it_is_told():
    shown = exemplary_slogans()
    brands = [json.loads(line)["brand"] for line in SLOGANS.read_text(encoding="utf-8").splitlines()]
    whole = {row["id"]: (row, brand) for row, brand in zip(load_slogans(), brands, strict=True)}
    assert len(shown) >= 85
    assert len({row["category"] for row in shown}) >= 25
    for row in shown:
        original, brand = whole[row["id"]]
        assert row == original
        assert 8 <= len(row["ad_copy"]) <= 40
        assert row["product"] not in row["ad_copy"]
        assert not [value for value in row["values"] if value in row["ad_copy"]]
        assert brand not in row["ad_copy"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("침대는 가구가 아닙니다. 침대는 과학입니다.", "product"),
        ("손이 가요 손이 가 새우깡에 손이 가요", "brand"),
        ("싸니까 믿으니까 인터파크니까", "brand"),
        ("청춘차렷!", "five characters"),
        ("이 소리가 아닙니다. 이 소리도 아닙니다. 용각산은 소리가 나지 않습니다.", "41 characters"),
    ],
)
def test_slogans_that_no_prompt_shows(line, why):
    assert line in {row["ad_copy"] for row in load_slogans()}
    assert line not in {row["ad_copy"] for row in exemplary_slogans()}, why


def test_a_sexist_slogan_is_not_shown_and_not_copied():
    assert {row["ad_copy"] for row in load_slogans()} >= SEXIST
    assert not {row["ad_copy"] for row in exemplary_slogans()} & SEXIST


@pytest.mark.parametrize(
    ("line", "exemplary"),
    [
        ("옷깃에 앉은 작은 달", True),
        ("옷깃에 앉은 달", True),
        ("옷깃에 뜬 달", False),  # seven characters
        ("달" * 40, True),
        ("달" * 41, False),
        ("브로치에 앉은 작은 달", False),
        ("우아하게 앉은 작은 달", False),
    ],
)
def test_is_exemplary(line, exemplary):
    assert is_exemplary(make_row("브로치", ["우아한"], line, source="written")) is exemplary
