"""The page for everybody: by keyboard, by screen reader, in forced colours; axe finds nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.space.browser import DESKTOP, PHONE, ask, open_page, press, read_lines, rows
from tests.space.page_script import COPY, Script
from tests.space.page_server import Desk

AXE = Path(__file__).parent / "axe/node_modules/axe-core/axe.min.js"
INSTALL = "npm ci --prefix tests/space/axe"


@pytest.fixture(scope="session")
def axe() -> str:
    """Axe's source. Only CI must have it."""
    if not AXE.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"axe-core is not installed; run: {INSTALL}")
    return AXE.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[Any]:
    page.evaluate(axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, desk: Desk, script: Script, axe: str, viewport: Any, scheme: Any) -> None:
    script.fields, script.warning = ("device", "tone"), {"ko": "기반 모델만 못합니다.", "en": "Rated lower."}
    script.hold_after = 2
    page = browser.new_page(viewport=viewport, color_scheme=scheme, locale="ko-KR", reduced_motion="reduce")
    open_page(page, desk.url)
    assert violations(page, axe) == []  # empty
    ask(page, "", "")
    assert violations(page, axe) == []  # something is missing
    page.get_by_label("기반 모델과 나란히 보기").check()
    ask(page, "제습기", "뽀송함, 여유")
    expect(rows(page)).to_have_count(4)
    assert violations(page, axe) == []  # writing
    script.go.set()
    read_lines(page)
    rows(page).first.get_by_role("button", name="좋아요").click()
    rows(page).nth(1).get_by_role("button", name="고치기").click()
    assert violations(page, axe) == []  # done, with a line in the works
    script.trouble, script.refuse_feedback = "problem", "받지 못했습니다."
    script.go.clear()
    press(page)
    expect(page.get_by_role("alert").first).to_be_visible()
    rows(page).first.get_by_role("button", name="별로예요").click()
    expect(page.locator(".unsent")).to_be_visible()
    assert violations(page, axe) == []  # problems, over the history
    page.get_by_role("button", name="English").click()
    assert violations(page, axe) == []
    page.close()


def test_from_load_to_a_copied_line_by_keyboard_alone(page: Page, script: Script) -> None:
    name_of_focused = "(({ labels, textContent }) => labels?.[0]?.textContent || textContent)(document.activeElement)"

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement !== document.body")
            if page.evaluate(name_of_focused) == name:
                return
        raise AssertionError(f"Tab does not reach {name}")

    tab_to("상품")
    page.keyboard.type("제습기")
    tab_to("담을 가치")
    page.keyboard.type("뽀송함,여유")
    page.keyboard.press("Enter")
    tab_to("다양성(온도)")
    page.keyboard.press("ArrowRight")
    tab_to("카피 쓰기")
    page.keyboard.press("Enter")
    lines = read_lines(page)
    assert page.evaluate("document.activeElement.id") == "write"
    tab_to("복사")
    page.keyboard.press("Enter")
    expect(rows(page).first.locator(".copy")).to_have_text("복사됨")
    assert page.evaluate("navigator.clipboard.readText()") == lines[0]
    assert (script.asked[0]["values"], script.asked[0]["temperature"]) == (["뽀송함", "여유"], 0.4)
    tab_to("비슷하게 더")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('#current') !== null")
    read_lines(page)
    assert page.evaluate("document.activeElement.id") == "result-name"


def test_lines_are_told_one_by_one_and_their_buttons_are_not(page: Page, script: Script) -> None:
    script.hold_after = 1
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(1)
    page.evaluate(
        """() => {
          window.told = [];
          new MutationObserver((changes) => {
            for (const { target, addedNodes } of changes) {
              const element = target.nodeType === 1 ? target : target.parentElement;
              const region = element.closest('[aria-live], [role=status], [role=alert]');
              if (region?.ariaLive === 'off' || !region) continue;
              for (const node of addedNodes) if (node.textContent) window.told.push(node.textContent);
            }
          }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    script.go.set()
    read_lines(page)
    assert page.evaluate("window.told") == [*COPY[1:5], "카피 5개 · 15개를 써서 골랐습니다."]


def test_a_pressed_button_keeps_the_focus_while_writing(page: Page, script: Script) -> None:
    script.hold_after = 0
    ask(page, "제습기", "여유")
    write = page.locator("#write")
    expect(write).to_have_attribute("aria-disabled", "true")
    expect(write).to_be_focused()
    expect(write).to_have_text("쓰는 중…")
    script.go.set()
    read_lines(page)
    expect(write).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_can_be_seen_everywhere(browser: Browser, desk: Desk, script: Script, scheme: Any) -> None:
    page = browser.new_page(viewport=DESKTOP, color_scheme=scheme, locale="ko-KR")
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    read_lines(page)
    page.mouse.click(5, 5)
    seen: set[str] = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            """() => {
              const luminance = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                  .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
              };
              const active = document.activeElement;
              if (active === document.body) return null;
              const style = getComputedStyle(active.id === 'values' ? active.parentElement : active);
              const both = [style.outlineColor, getComputedStyle(document.body).backgroundColor].map(luminance);
              const [dim, bright] = both.sort((a, b) => a - b);
              const contrast = (bright + 0.05) / (dim + 0.05);
              return [active.tagName, style.outlineStyle, parseFloat(style.outlineWidth), contrast];
            }"""
        )
        if outline is None:
            break
        tag, style, width, contrast = outline
        assert style == "solid" and width >= 2 and contrast >= 3, outline
        seen.add(tag)
    assert {"INPUT", "BUTTON", "SELECT", "A"} <= seen
    page.close()


def test_forced_colours_leave_everything_visible(browser: Browser, desk: Desk, script: Script) -> None:
    page = browser.new_page(viewport=DESKTOP, forced_colors="active", color_scheme="dark", locale="ko-KR")
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    read_lines(page)
    like = rows(page).first.get_by_role("button", name="좋아요")
    colours = "(button) => [getComputedStyle(button).backgroundColor, getComputedStyle(button).color]"
    plain = like.evaluate(colours)
    like.click()
    pressed = like.evaluate(colours)
    assert plain != pressed
    assert len(set(pressed)) == 2
    for name in ("#write", ".copy", ".chip", "#product", "#count"):
        border, back = page.locator(name).first.evaluate(
            "(each) => [getComputedStyle(each).borderTopColor, getComputedStyle(document.body).backgroundColor]"
        )
        assert border != back, name
    slider = page.locator("#temperature")
    assert slider.evaluate("(each) => getComputedStyle(each).appearance") == "auto"  # the system draws it
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.evaluate("(each) => getComputedStyle(each).outlineStyle") == "solid"
    page.close()


def test_nothing_moves_for_who_wants_no_motion(browser: Browser, desk: Desk, script: Script) -> None:
    script.hold_after = 1
    page = browser.new_page(viewport=PHONE, reduced_motion="reduce", locale="ko-KR")
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(1)
    assert page.evaluate("document.getAnimations().length") == 0
    expect(rows(page).first).to_be_in_viewport()  # on a phone the lines start below the fold
    page.close()
    moving = browser.new_page(viewport=DESKTOP, locale="ko-KR")
    open_page(moving, desk.url)
    ask(moving, "제습기", "여유")
    expect(rows(moving)).to_have_count(1)
    assert moving.evaluate("document.getAnimations().length") > 0
    moving.close()
