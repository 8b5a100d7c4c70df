"""Clichés, stock words, and the openings and endings that are counted."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.rules import template
from pipelines.filters.rules.cliches import forms
from tests.limits import LIMITS, limits

FORMS: list[dict[str, Any]] = forms.load_forms()
HITS = [(form["name"], line) for form in FORMS for line in form["hits"]]
FINE = [(form["name"], line) for form in FORMS for line in form["fine"]]
HOSTILE = st.text(st.sampled_from("가나 하세요있습니다,.!_·-“’\n\t\u3000\u200b\0😀aA1ㄱ"), max_size=40)


def check(line: str) -> str | None:
    return template.check({"product": "모카포트", "values": ["여유"], "ad_copy": line, "source": "synthesised"}, LIMITS)


@pytest.mark.parametrize(("name", "line"), HITS)
def test_a_cliche_is_found_and_named(name: str, line: str) -> None:
    assert check(line) == f"form {name}"


@pytest.mark.parametrize(("name", "line"), HITS)
def test_the_pattern_of_a_form_matches_its_own_lines(name: str, line: str) -> None:
    assert re.search(next(form["pattern"] for form in FORMS if form["name"] == name), line)


@pytest.mark.parametrize(("name", "line"), FINE)
def test_a_line_beside_a_form_is_fine(name: str, line: str) -> None:
    assert check(line) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("화려한 순간을 살아내다", "순간을"),
        ("세밀한 공간을 완성하다.", "세밀 공간 완성"),
        ("내 방에 작은 품격을", "품격"),
        ("땅을 믿고 풍요를 키워라", "풍요 키워라"),
        ("좁은 골목을 돌아 불이 켜진 창가에 앉은 열정!", "열정"),  # in last place
        ("안전한 오늘, 안심한 내일", "안전 안심 내일"),  # light ones alone, half of the words
    ],
)
def test_stock_words_that_carry_a_line_are_found(line: str, words: str) -> None:
    assert check(line) == f"stock words {words}"


@pytest.mark.parametrize(
    "line",
    [
        "당신이 잠든 사이 우유가 현관까지",  # one of five words
        "이제 양말을 뒤집지 않아도 함께 돌려요",  # light ones alone
        "틀려라, 트일 것이다",
        "삶은 달걀 두 개와 창밖의 바다",  # boiled, no life
        "순간 조용해진 식탁",
        "세상에서 제일 조용한 금요일",
        "주말 오후엔 세계사 책갈피가 움직인다",
        "겉옷은 옷장 스타일러 안에서 쉬는 중",
    ],
)
def test_a_line_with_a_stock_word_is_fine_where_other_words_carry_it(line: str) -> None:
    assert check(line) is None


def test_stock_words_open_no_group_and_none_is_listed_twice() -> None:
    weights: dict[str, str] = yaml.safe_load(forms.STOCK_WORDS.read_text(encoding="utf-8"))
    words = [word for listed in weights.values() for word in listed.split()]
    assert list(weights) == ["heavy", "light"] and len(set(words)) == len(words)
    assert [word for word in words if re.compile(word).groups or re.match(word, "")] == []


def test_every_form_has_lines_on_both_sides_and_a_name_of_its_own() -> None:
    assert all(set(form) == {"name", "pattern", "hits", "fine"} and form["hits"] and form["fine"] for form in FORMS)
    names = [form["name"] for form in FORMS]
    assert len(set(names)) == len(names)


def test_a_form_opens_no_group_that_would_take_the_name_of_another() -> None:
    assert [re.compile(form["pattern"]).groups for form in FORMS] == [0] * len(FORMS)


@pytest.mark.parametrize("wrapped", ["“{}”", "카피: {}", "  {}  ", "*{}*"])
def test_wrapping_hides_no_form(wrapped: str) -> None:
    row = {
        "product": "모카포트",
        "values": ["여유"],
        "source": "synthesised",
        "ad_copy": wrapped.format("맛의 직감을 느껴 보세요."),
    }
    assert first_rule(row, LIMITS) == ("template", "form 해 보세요")


def test_letters_that_come_apart_hide_no_form() -> None:
    apart = unicodedata.normalize("NFD", "맛의 직감을 느껴 보세요.")
    row = {"id": "", "product": "모카포트", "values": ["여유"], "source": "synthesised", "ad_copy": apart}
    assert check(apart) is None
    assert first_rule(row, LIMITS) == ("template", "form 해 보세요")


@given(HOSTILE)
def test_whatever_stands_in_a_line_it_gets_an_answer(line: str) -> None:
    assert (check(line) or "form ").startswith(("form ", "stock words ", "wording "))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("손에 잡히는 휴식을 느껴보세요.", ("opening 손에 잡히는", "ending 휴식을 느껴보세요")),
        ("오늘 밤, 별이 내려온다!", ("opening 오늘 밤", "ending 별이 내려온다")),
        ("비 오는 날의 지붕이 되어 있습니다.", ("opening 비 오는", "ending 날의 지붕이 되어 있습니다")),
        ("젖은 우산도 금방 말릴 수 있어요", ("opening 젖은 우산도", "ending 금방 말릴 수 있어요")),
        ("내일은 늦잠을 자도 돼요", ("opening 내일은 늦잠을", "ending 늦잠을 자도 돼요")),
        ("이불 밖은 아직 위험하다고 하지 않는다", ("opening 이불 밖은", "ending 아직 위험하다고 하지 않는다")),
        ("우산도 가끔은 하하하하하", ("opening 우산도 가끔은", "ending 가끔은 하하하하하")),
        ("_오늘_ 밤의 “골목”", ("opening 오늘 밤의", "ending 밤의 골목")),
        ("하나-둘 셋", ("opening 하나 둘", "ending 둘 셋")),
        ("딱 두 마디", ("opening 딱 두", "ending 두 마디")),
        ("돼요 돼요 돼요", ("opening 돼요 돼요", "ending 돼요 돼요")),
    ],
)
def test_opening_and_ending(line: str, expected: tuple[str, ...]) -> None:
    assert template.phrases(line) == expected


@pytest.mark.parametrize("line", ["", " ", "...", "늦잠", "오늘 밤", "오늘, 밤!", "_ _ _", "- — …", "\n\n"])
def test_fewer_than_three_words_open_and_end_nothing(line: str) -> None:
    assert template.phrases(line) == ()


@given(HOSTILE)
@example("하" * 40)
def test_phrases_are_none_or_two_of_plain_words(line: str) -> None:
    found = template.phrases(line)
    assert found == () or [phrase.split()[0] for phrase in found] == ["opening", "ending"]
    for phrase in found:
        assert re.fullmatch(r"(?:opening [^\W_]\S* \S+|ending \S+(?: \S+)+)", phrase), phrase
        assert not re.search(r"[^\w\s]|_", phrase)


@given(HOSTILE, st.sampled_from([".", "!", " ...", "~", "”"]))
def test_punctuation_at_the_end_changes_no_phrase(line: str, mark: str) -> None:
    assert template.phrases(line + mark) == template.phrases(line)


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, 10), (1, 10), (2000, 10), (2199, 10), (2200, 11), (2399, 11), (10_000, 50)]
)
def test_a_phrase_may_stand_in_a_share_of_the_lines_and_in_some_of_few(rows: int, expected: int) -> None:
    assert template.most(rows, limits(max_phrase_share=0.005, max_phrase_count=10)) == expected


@pytest.mark.parametrize(("rows", "share", "count", "expected"), [(100, 1.0, 1, 100), (3, 0.5, 1, 1), (3, 0.1, 1, 1)])
def test_the_larger_of_both_bounds_holds(rows: int, share: float, count: int, expected: int) -> None:
    assert template.most(rows, limits(max_phrase_share=share, max_phrase_count=count)) == expected


def test_a_share_is_of_whole_lines_however_it_is_written() -> None:
    wrong = {
        (rows, percent)
        for percent in range(1, 101)
        for rows in range(0, 2001, 100)
        if template.most(rows, limits(max_phrase_share=percent / 100, max_phrase_count=1))
        != max(1, rows * percent // 100)
    }
    assert wrong == set()
