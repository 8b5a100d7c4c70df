"""The desk in a real browser: lines come, and what can be done with each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.space.browser import PHONE, ask, open_page, press, read_lines, rows
from tests.space.page_script import BASE_COPY, COPY, Script
from tests.space.page_server import Desk

TEXTS = json.loads((Path(__file__).parent.parent.parent / "space/page/texts.json").read_text(encoding="utf-8"))


def test_one_tap_and_one_press_give_lines_and_an_honest_sentence(page: Page, script: Script) -> None:
    page.get_by_role("button", name="제습기").click()
    press(page)
    assert read_lines(page) == COPY[:5]
    expect(page.locator("#current .said")).to_have_text("카피 5개 · 15개를 써서 골랐습니다.")
    expect(page.locator("#current .left")).to_have_text("뺀 것: 상품·가치 노출 4개, 상투어 2개")
    asked = script.asked[0]
    assert asked.pop("visit") and asked.pop("job")
    assert asked == {
        **{"product": "제습기", "values": ["뽀송함", "여유"], "count": 5, "temperature": 0.3, "device": "", "tone": ""},
        **{"base": False, "like": "", "lang": "ko"},
    }


def test_fewer_lines_than_asked_for_are_no_success(page: Page, script: Script) -> None:
    script.lines = COPY[:2]
    ask(page, "제습기", "여유")
    assert len(read_lines(page)) == 2
    expect(page.locator("#current .said")).to_have_text("후보 가운데 보여 드릴 만한 카피는 2개였습니다.")


def test_lines_come_one_by_one_and_none_moves(page: Page, script: Script) -> None:
    script.hold_after = 2
    page.get_by_label("카피 수").select_option("8")
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(2)
    expect(page.locator("#current .lines li.pending")).to_have_count(6)
    tops = "[...document.querySelectorAll('#current .lines li')].map((row) => row.getBoundingClientRect().top)"
    before = page.evaluate(tops)
    script.go.set()
    assert len(read_lines(page)) == 8
    assert page.evaluate(tops) == before


def test_like_and_dislike_exclude_each_other_and_are_sent(page: Page, script: Script) -> None:
    ask(page, "제습기", "뽀송함, 여유")
    lines = read_lines(page)
    row = rows(page).nth(1)
    like, dislike = (row.get_by_role("button", name=name) for name in ("좋아요", "별로예요"))
    with page.expect_response("**/feedback"):
        like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/feedback"):
        dislike.click()
    expect(like).to_have_attribute("aria-pressed", "false")
    expect(dislike).to_have_attribute("aria-pressed", "true")
    dislike.click()
    expect(dislike).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#announce")).to_contain_text("이미 보낸 판단은 남습니다")
    others = [line for line in lines if line != lines[1]]
    told = {
        "product": "제습기",
        "values": ["뽀송함", "여유"],
        "line": lines[1],
        "edited": "",
        "others": others,
        "lang": "ko",
    }
    assert script.told == [{"kind": "like", **told}, {"kind": "dislike", **told}]


def test_nothing_is_sent_once_it_is_switched_off(page: Page, script: Script) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    page.get_by_label("제 판단을 다음 데이터에 보태기").uncheck()
    page.reload()
    expect(page.get_by_label("제 판단을 다음 데이터에 보태기")).not_to_be_checked()
    rows(page).first.get_by_role("button", name="좋아요").click()
    assert script.told == []


def test_without_a_place_for_feedback_no_consent_is_asked(page: Page, desk: Desk, script: Script) -> None:
    script.feedback = False
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    read_lines(page)
    expect(page.locator("#consent")).to_be_hidden()
    rows(page).first.get_by_role("button", name="좋아요").click()
    assert script.told == []


def test_a_line_is_edited_in_place(page: Page, script: Script) -> None:
    ask(page, "제습기", "여유")
    lines = read_lines(page)
    row = rows(page).first
    edit = row.get_by_role("button", name="고치기")
    edit.click()
    field = row.get_by_label("카피 고치기")
    field.fill("다른 말")
    field.press("Escape")
    expect(row.locator(".line")).to_have_text(lines[0])
    expect(edit).to_be_focused()
    edit.press("Enter")
    field.fill(" ")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(row).to_contain_text("카피를 적어 주세요")
    field.fill(" 마음까지  말려 드립니다\n")
    field.press("Enter")
    expect(row.locator("p.line")).to_have_text("마음까지 말려 드립니다")
    expect(row.locator(".mark")).to_have_text("고친 카피")
    expect(edit).to_be_focused()
    with page.expect_response("**/feedback"):
        row.get_by_role("button", name="좋아요").click()
    assert [(told["kind"], told["line"], told["edited"]) for told in script.told] == [
        ("edit", lines[0], "마음까지 말려 드립니다"),
        ("like", "마음까지 말려 드립니다", ""),
    ]


def test_copied_is_said_for_a_while_when_pressed_twice_too(new_tab: Page, desk: Desk, script: Script) -> None:
    page = new_tab
    page.clock.install()
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    lines = read_lines(page)
    button = rows(page).nth(2).locator(".copy")
    for _ in range(2):
        button.click()
        expect(button).to_have_text("복사됨")
        expect(button).to_have_accessible_name("복사됨")
        expect(button).to_have_accessible_description(lines[2])
        page.clock.run_for(1000)
        expect(button).to_have_text("복사됨")
        expect(page.locator("#announce")).to_have_text(f"복사했습니다: {lines[2]}")
    assert page.evaluate("navigator.clipboard.readText()") == lines[2]
    page.clock.run_for(600)
    expect(button).to_have_text("복사")
    page.get_by_role("button", name="모두 복사").click()
    expect(page.get_by_role("button", name="복사됨")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(lines)


def test_copying_works_without_the_clipboard_api(new_tab: Page, desk: Desk, script: Script) -> None:
    page = new_tab
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    lines = read_lines(page)
    button = rows(page).first.locator(".copy")
    button.click()
    expect(button).to_have_text("복사됨")
    expect(button).to_be_focused()
    page.locator("#product").fill("")
    page.locator("#product").press("Control+v")
    expect(page.locator("#product")).to_have_value(lines[0])


def test_more_like_a_line(page: Page, script: Script) -> None:
    ask(page, "제습기", "여유")
    lines = read_lines(page)
    page.locator("#product").fill("다른 상품")
    rows(page).nth(3).get_by_role("button", name="비슷하게 더").click()
    read_lines(page)
    assert [(asked["product"], asked["like"]) for asked in script.asked] == [("제습기", ""), ("제습기", lines[3])]
    expect(page.locator("#current time")).to_contain_text(f"“{lines[3]}” 같은 카피 더")


def test_the_base_model_beside_the_adapter(page: Page, script: Script) -> None:
    page.get_by_label("기반 모델과 나란히 보기").check()
    ask(page, "제습기", "여유")
    assert read_lines(page) == [*COPY[:5], *BASE_COPY]
    columns = page.locator("#current .column")
    expect(columns.locator("h4")).to_have_text(["학습한 모델", "기반 모델"])
    left, right = (columns.nth(place).bounding_box() for place in (0, 1))
    assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    assert sorted(asked["base"] for asked in script.asked) == [False, True]
    assert len({asked["job"] for asked in script.asked}) == 2
    assert len({asked["visit"] for asked in script.asked}) == 1


def test_what_the_server_cannot_do_is_not_offered(page: Page, desk: Desk, script: Script) -> None:
    script.can_compare = False
    script.warning = {"ko": "기반 모델보다 낮은 점수를 받았습니다.", "en": "Rated under its base model."}
    open_page(page, desk.url)
    for name in ("기반 모델과 나란히 보기", "표현 기법", "말투"):
        expect(page.get_by_label(name)).to_be_hidden()
    expect(page.get_by_role("note")).to_have_text("기반 모델보다 낮은 점수를 받았습니다.")


def test_device_and_tone_where_the_prompt_has_them(page: Page, desk: Desk, script: Script) -> None:
    from pipelines.planning.taxonomy import load_craft

    script.fields = ("device", "tone")
    open_page(page, desk.url)
    page.get_by_label("표현 기법").select_option("은유")
    page.get_by_label("말투").select_option("다정하게")
    ask(page, "제습기", "여유")
    read_lines(page)
    assert (script.asked[0]["device"], script.asked[0]["tone"]) == ("metaphor", "warm")
    craft = load_craft()
    for texts in TEXTS.values():
        assert (texts["devices"].keys(), texts["tones"].keys()) == (craft.devices.keys(), craft.tones.keys())


def test_language_follows_the_browser_and_the_switch_keeps_what_was_typed(
    page: Page, browser: Browser, desk: Desk
) -> None:
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    ask(page, "제습기", "여유")
    lines = read_lines(page)
    page.locator("#product").fill("공기청정기")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Product")).to_have_value("공기청정기")
    expect(page.locator(".chip")).to_have_accessible_name("Remove 여유")
    expect(page.locator("#current .said")).to_contain_text("5 lines · chosen from 15 written.")
    expect(page.locator("#current .left")).to_have_text("Left out: names the product or a value 4, cliché 2")
    assert rows(page).locator(".line").all_text_contents() == lines
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_label("Product")).to_have_value("공기청정기")
    english = browser.new_page(locale="en-US")
    open_page(english, desk.url)
    expect(english.get_by_role("button", name="Write copy")).to_be_visible()
    expect(english.locator("body")).not_to_contain_text("상품")
    english.close()


def test_texts_are_whole() -> None:
    from pipelines.filters.filter_rows import REASONS

    korean, english = TEXTS["ko"], TEXTS["en"]
    assert korean.keys() == english.keys()
    for key, text in korean.items():
        if isinstance(text, dict):
            assert text.keys() == english[key].keys(), key
    assert REASONS.keys() - {"held_out", "judge"} <= korean["reasons"].keys()  # two say nothing of a line


@pytest.mark.parametrize("width", [PHONE["width"], 320])
def test_fits_a_phone(browser, desk: Desk, script: Script, width: int) -> None:
    script.lines = ["가나다라마바사" * 8, *COPY]
    script.fields = ("device", "tone")
    page = browser.new_page(viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True, locale="ko-KR")
    open_page(page, desk.url)
    page.get_by_label("기반 모델과 나란히 보기").check()
    ask(page, "아주" * 20, "가" * 20 + ", 나, 다, 라, 마")
    read_lines(page)
    ask(page, "제습기", "여유")
    read_lines(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input:not([type=checkbox]), label.check')]
          .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 44)
          .map((target) => target.outerHTML)"""
    )
    assert small == []
    page.close()


def test_nothing_leaves_the_machine(new_tab: Page, desk: Desk, script: Script) -> None:
    page, seen = new_tab, list[str]()
    page.on("request", lambda request: seen.append(request.url))
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    read_lines(page)
    assert len(seen) > 10
    assert {url for url in seen if not url.startswith(desk.url)} == set()
