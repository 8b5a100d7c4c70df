from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rows import make_row, row_id
from pipelines.text.tidy import clean_value, tidy, tidy_row


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("월요일도 반쯤은 금요일", "월요일도 반쯤은 금요일"),
        ('"월요일도 반쯤은 금요일"', "월요일도 반쯤은 금요일"),
        ("“월요일도 반쯤은 금요일” ", "월요일도 반쯤은 금요일"),
        ("카피: 월요일도  반쯤은 금요일", "월요일도 반쯤은 금요일"),
        ('**카피:** "월요일도 반쯤은 금요일"', "월요일도 반쯤은 금요일"),
        ("[광고 카피] : 월요일도 반쯤은 금요일", "월요일도 반쯤은 금요일"),
        ('"월요일"도 반쯤은 "금요일"', '"월요일"도 반쯤은 "금요일"'),
        ("월요일\n\n금요일", "월요일\n금요일"),
        ("카피캣의 반대말", "카피캣의 반대말"),
        ("", ""),
        ('""', ""),
        ("\u1112\u1161\u11ab 줄", "한 줄"),
    ],
)
def test_mends_only_the_wrapping(before, after):
    assert tidy(before) == after


@pytest.mark.field
@pytest.mark.parametrize(
    "line",
    [
        "버전 2 - 새로워진 출근",
        "Idea: 생각이 팔린다",
        "Text: 문자로 끝",
        "한 줄: 하루를 적다",
        "새로운 광고 카피: 그런 건 없다",
        "3안: 우산, 우비, 용기",
        "[과장법] 세상에서 제일 큰 우산",
    ],
)
def test_words_of_people_stay(line: str) -> None:
    assert tidy(line) == line


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_twice_is_once(text):
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"다채로운"', "다채로운"),
        ('" 안전한"', "안전한"),
        ("다채로운", "다채로운"),
        ('"', ""),
        ("“새로운  경험”.", "새로운 경험"),
    ],
)
def test_cleans_values(before, after):
    assert clean_value(before) == after


def test_the_id_follows_the_line():
    row = make_row("맥주", ["여유"], '"월요일도 반쯤은 금요일"')
    tidied = tidy_row({**row})
    assert tidied == {
        **row,
        "ad_copy": "월요일도 반쯤은 금요일",
        "id": row_id("맥주", ["여유"], "월요일도 반쯤은 금요일"),
    }
    assert tidy_row(tidied) is tidied
