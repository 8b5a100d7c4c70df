"""What a visitor types, before any model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from request import MAX_LINES, MAX_PRODUCT, MAX_VALUES, Problem, clean, clean_language, clean_name, options

from pipelines.rows import PROMPT_FORMAT, user_message
from scripts.tables.cells import values


def test_fields_are_cleaned() -> None:
    asked = clean("  새벽\n배송\t반찬 ", "정성， 느긋한  아침,,정성、담백함", 3.0, 0.8)
    assert asked.product == "새벽 배송 반찬"
    assert asked.values == ("정성", "느긋한 아침", "담백함")
    assert (asked.count, asked.temperature) == (3, 0.8)


@pytest.mark.field
def test_values_are_parted_but_no_numbers() -> None:
    assert clean("우산", "든든한·가벼운; 1,000원|2.5배", 1, 1).values == ("든든한", "가벼운", "1,000원", "2.5배")
    assert clean("우산", "3·1절、A/S\n24시간,365일", 1, 1).values == ("3·1절", "A/S", "24시간", "365일")


@given(
    st.text("가나다 09,，、·ㆍ;|\n/", min_size=1, max_size=14).filter(lambda text: 0 < len(values(text)) <= MAX_VALUES)
)
def test_a_visitor_and_a_table_mean_the_same_values(text: str) -> None:
    assert list(clean("우산", text, 1, 1).values) == values(text)


def test_prompt_is_the_one_of_training() -> None:
    asked = clean("{product}", "{가볍다}, 여유", 1, 1)
    assert asked.chat(PROMPT_FORMAT) == [user_message("{product}", ["{가볍다}", "여유"])]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((None, None, 5, 0.8), "상품을 적어 주세요. 예: 제습기"),
        (("\u200b\x00 ", "여유", 5, 0.8), "상품을 적어 주세요. 예: 제습기"),
        (("가" * (MAX_PRODUCT + 1), "여유", 5, 0.8), "상품은 40자까지 적을 수 있습니다. 지금 41자입니다."),
        (("제습기", " , ,", 5, 0.8), "담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유"),
        (
            ("제습기", ",".join("가나다라마바"[: MAX_VALUES + 1]), 5, 0.8),
            "가치는 5개까지 담을 수 있습니다. 지금 6개입니다.",
        ),
        (
            ("제습기", "가" * 21, 5, 0.8),
            f"가치 하나는 20자까지입니다. 길면 쉼표로 나눠 주세요: “{'가' * 20}…”",
        ),
        (("제습기", "여유", None, 0.8), "카피 수는 1에서 8 사이의 정수로 골라 주세요."),
        (("제습기", "여유", 9, 0.8), "카피 수는 1에서 8 사이의 정수로 골라 주세요."),
        (("제습기", "여유", 5, None), "다양성(온도)은 0.1에서 1.5 사이로 골라 주세요."),
        (("제습기", "여유", 5, 0), "다양성(온도)은 0.1에서 1.5 사이로 골라 주세요."),
    ],
)
def test_what_is_wrong_is_a_sentence(fields: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(Problem) as caught:
        clean(*fields)
    assert str(caught.value) == caught.value.say("ko") == sentence
    assert caught.value.say("en") != sentence


def test_options_belong_to_the_prompt() -> None:
    both = "{product} {values} {device} {tone}"
    assert options(PROMPT_FORMAT) == [] and options(both) == ["device", "tone"]
    asked = clean("우산", "여유", 1, 1, device=" 은유\n", tone=None, base=None, like="가\n나", options=["device"])
    assert (asked.device, asked.tone, asked.base, asked.like) == ("은유", "", False, "가 나")
    assert asked.chat(both)[0]["content"] == "우산 여유 은유 "
    with pytest.raises(Problem, match="두 칸을 비워"):
        clean("우산", "여유", 1, 1, tone="다정하게", options=["device"])


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"base": 1}, "base"),
        ({"like": []}, "like_text"),
        ({"like": "가" * 121}, "like_text"),
        ({"device": 1}, "option_text"),
        ({"tone": "가" * 21}, "long_option"),
    ],
)
def test_other_fields_are_checked(fields: dict[str, Any], key: str) -> None:
    with pytest.raises(Problem) as caught:
        clean("우산", "여유", 1, 1, options=["device", "tone"], **fields)
    assert caught.value.key == key


def test_names_and_languages() -> None:
    assert (clean_name(None), clean_name("a" * 64), clean_language("en")) == ("", "a" * 64, "en")
    for wrong in ("a" * 65, 1, [], {}):
        with pytest.raises(Problem, match="visit와 job"):
            clean_name(wrong)
    for wrong in ("fr", "", None, [], {}):
        with pytest.raises(Problem, match="ko나 en"):
            clean_language(wrong)


def test_a_problem_may_hold_the_one_behind_it() -> None:
    problem = Problem("restart", said=Problem("load-memory"))
    assert problem.say("en").startswith("There is not enough memory to load the model. This Space")
    assert str(problem).startswith("메모리가 모자라 모델을 불러오지 못했습니다. 이 Space는")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.field
@given(
    JSON | st.just("제습기"),
    JSON | st.just("여유"),
    JSON | st.integers(1, 8),
    JSON | st.floats(0.1, 1.5),
    JSON | st.booleans(),
    JSON,
)
def test_whatever_json_says_is_a_request_or_a_sentence(
    product: Any, values: Any, count: Any, temperature: Any, base: Any, text: Any
) -> None:
    try:
        request = clean(product, values, count, temperature, base=base, like=text, device=text, options=["device"])
    except Problem as problem:
        assert str(problem).endswith(("다.", "요.", "…”")) or "예: " in str(problem)
    else:
        assert request.product and request.values and request.count in range(1, MAX_LINES + 1)
        assert isinstance(request.count, int) and 0.1 <= request.temperature <= 1.5
        assert isinstance(request.base, bool) and isinstance(request.like, str)
