"""The brief: values as chips, and what is wrong said at the field."""

from __future__ import annotations

import re

import pytest
import request
from playwright.sync_api import Locator, Page, expect

from tests.space.browser import ask, fill, open_page, press, read_lines
from tests.space.page_script import LIMITS, Script
from tests.space.page_server import Desk

TEXTS = [
    "뽀송함, 여유",
    "뽀송함，여유、느긋함;쉼；숨",
    "첫째 줄\n둘째 줄\r\n셋째 줄",
    "1,000원, 반값",
    "1,000,000원",
    "2·3·4",
    "3·1절·광복절",
    "가ㆍ나・다•라",
    "하나|둘｜셋",
    "2.5배, A/S",
    " , ,, 앞뒤 빈칸  ,",
    "같은 말, 같은 말",
    "탭\t과\x00널",
    "ㄱㅏ, 가",
]


def chips(page: Page) -> Locator:
    return page.locator(".chip")


@pytest.mark.parametrize("text", TEXTS)
def test_pasted_text_is_parted_as_the_server_parts_it(shared: Page, text: str) -> None:
    fill(shared, "", "")
    shared.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    shared.locator("#values").press("Control+v")
    shared.locator("#values").press("Enter")
    expected = dict.fromkeys(value for value in map(request.plain, request.part_values(text)) if value)
    assert chips(shared).all_text_contents() == list(expected)


@pytest.fixture(scope="module")
def shared(tab: Page, desk: Desk) -> Page:
    """The page, for tests that leave nothing behind which disturbs the next."""
    open_page(tab, desk.url)
    return tab


def test_typing_makes_chips_and_backspace_takes_the_last(page: Page) -> None:
    field = page.locator("#values")
    field.press_sequentially("1,000원,여유;뽀송함")
    expect(chips(page)).to_have_text(["1,000원", "여유"])
    field.press("Enter")
    expect(chips(page)).to_have_text(["1,000원", "여유", "뽀송함"])
    expect(field).to_have_value("")
    field.press("Backspace")
    expect(chips(page)).to_have_text(["1,000원", "여유"])
    chip = page.get_by_role("button", name="1,000원 지우기")
    chip.focus()
    chip.press("Enter")
    expect(chips(page)).to_have_text(["여유"])
    expect(field).to_be_focused()
    expect(page.locator("#announce")).to_have_text("‘1,000원’ 지움")


def test_a_syllable_that_is_being_typed_is_no_value_yet(page: Page) -> None:
    field = page.locator("#values")
    field.focus()
    field.evaluate("field => { field.value = '여유'; }")
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    assert chips(page).count() == 0


def test_enter_in_the_empty_field_writes(page: Page, script: Script) -> None:
    fill(page, "제습기", "여유")
    page.locator("#values").press("Enter")
    read_lines(page)
    assert script.asked[0]["values"] == ["여유"]


def test_text_that_is_no_chip_yet_counts(page: Page, script: Script) -> None:
    page.locator("#product").fill("제습기")
    page.locator("#values").fill("여유, 쉼")
    press(page)
    read_lines(page)
    assert script.asked[0]["values"] == ["여유", "쉼"]


@pytest.mark.parametrize(
    ("product", "values", "field", "sentence"),
    [
        (" ", "여유", "#product", "상품을 적어 주세요. 예: 제습기"),
        ("가" * 60, "여유", "#product", "상품은 40자까지 적을 수 있습니다. 지금 60자입니다."),
        ("제습기", " ", "#values", "담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유"),
        ("제습기", "가,나,다,라,마,바", "#values", "가치는 5개까지 담을 수 있습니다. 지금 6개입니다."),
        ("제습기", "🦊" * 21, "#values", f"가치 하나는 20자까지입니다. 길면 쉼표로 나눠 주세요: “{'🦊' * 20}…”"),
    ],
)
def test_what_is_missing_or_too_long_is_said_at_the_field(
    shared: Page, script: Script, product: str, values: str, field: str, sentence: str
) -> None:
    ask(shared, product, values)
    with pytest.raises(RuntimeError) as said:
        read_lines(shared)
    assert str(said.value) == sentence
    expect(shared.locator(field)).to_be_focused()
    expect(shared.locator(field)).to_have_attribute("aria-invalid", "true")
    expect(shared.locator(field)).to_have_accessible_description(re.compile(re.escape(sentence)))
    assert script.asked == []
    shared.locator(field).press_sequentially("가")
    expect(shared.locator(field)).to_have_attribute("aria-invalid", "false")


def test_what_was_typed_survives_a_reload(page: Page) -> None:
    fill(page, "제습기", "여유, 쉼")
    page.get_by_label("카피 수").select_option("3")
    page.get_by_label("다양성(온도)").fill("1.2")
    page.reload()
    expect(page.locator("#product")).to_have_value("제습기")
    expect(chips(page)).to_have_text(["여유", "쉼"])
    expect(page.get_by_label("카피 수")).to_have_value("3")
    expect(page.locator("#temperature-value")).to_have_text("1.2")


def test_limits_before_the_server_has_told_them_are_its_own(page: Page) -> None:
    slider = page.get_by_label("다양성(온도)")
    assert [slider.get_attribute(name) for name in ("min", "max")] == [str(limit) for limit in LIMITS["temperature"]]
    assert {
        "product": request.MAX_PRODUCT,
        "value": request.MAX_VALUE,
        "values": request.MAX_VALUES,
        "count": [1, request.MAX_LINES],
        "temperature": list(request.TEMPERATURES),
    } == LIMITS


@pytest.mark.parametrize(
    "hostile",
    [
        '<img src=x onerror="document.title=1">',
        "</script><b>굵게</b>",
        "**굵게** [누르기](javascript:alert(1))",
        "\u202e거꾸로\u202c",
        "مزيل الرطوبة",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "널\x00자",
        "{{title}} {lines} $1 $&",
    ],
)
def test_text_of_visitors_and_lines_is_only_ever_text(shared: Page, script: Script, hostile: str) -> None:
    script.lines = [f"{hostile} {number}" for number in range(8)]
    title, elements = shared.title(), shared.locator("#current img, #current b, #current script, .chip *").count()
    ask(shared, hostile, hostile[:20])
    assert read_lines(shared) == script.lines[:5]
    assert shared.locator("#current img, #current b, #current script, .chip *").count() == elements == 0
    assert shared.title() == title
    assert script.asked[0]["product"] == request.plain(hostile)


def test_ten_thousand_characters_are_refused_kindly(page: Page, script: Script) -> None:
    ask(page, "가" * 10_000, "나" * 10_000)
    with pytest.raises(RuntimeError, match="지금 10000자입니다"):
        read_lines(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert script.asked == []
