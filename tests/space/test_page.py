"""The page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.space.browser import PHONE, ask, chromium, open_page, press, read_lines
from tests.tiny.adapter import PAIR, WORDS


@pytest.fixture(scope="module")
def phone(address: str) -> Iterator[Page]:
    """A phone with the page open; whatever it fetches or throws is kept in `page.seen` and `page.thrown`."""
    with chromium() as browser:
        page = browser.new_context(viewport=PHONE, permissions=["clipboard-read", "clipboard-write"]).new_page()
        page.seen, page.thrown = [], []
        page.on("request", lambda request: page.seen.append(request.url))
        page.on("pageerror", lambda error: page.thrown.append(str(error)))
        open_page(page, address)
        yield page


def test_lines_appear_and_can_be_copied(phone: Page) -> None:
    ask(phone, PAIR[0], ", ".join(PAIR[1]))
    lines = read_lines(phone)
    assert 2 <= len(lines) <= 5
    assert len(set(lines)) == len(lines)
    assert any(set(line.split()) <= WORDS for line in lines)
    phone.get_by_role("button", name="2번째 카피 복사").click()
    assert phone.evaluate("navigator.clipboard.readText()") == lines[1]
    phone.get_by_role("button", name="모두 복사").click()
    assert phone.evaluate("navigator.clipboard.readText()") == "\n".join(lines)


def test_what_is_missing_or_too_long_is_a_sentence(phone: Page) -> None:
    ask(phone, " ", "여유")
    with pytest.raises(RuntimeError, match="상품을 적어 주세요"):
        read_lines(phone)
    assert phone.locator("#result").get_by_role("alert").count() == 1
    assert phone.locator("#result .line").count() == 0
    ask(phone, "가" * 60, "여유")
    with pytest.raises(RuntimeError, match="지금 60자입니다"):
        read_lines(phone)


def test_number_out_of_range_and_return_key(phone: Page) -> None:
    number = phone.locator("input[type=number]").first
    number.fill("99")
    ask(phone, PAIR[0], ", ".join(PAIR[1]))
    assert 1 <= len(read_lines(phone)) <= 8
    number.fill("1")
    number.blur()
    phone.evaluate("document.querySelector('#result .said').classList.add('stale')")
    phone.get_by_label("담을 가치").press("Enter")
    assert len(read_lines(phone)) == 1
    assert phone.locator(".toast-wrap").text_content() == ""  # Gradio's own messages are in English


def test_example_fills_the_fields(phone: Page) -> None:
    phone.get_by_role("button", name="독립 서점").click()
    phone.wait_for_function("document.querySelector('input[type=text]').value === '독립 서점'")
    assert phone.get_by_label("담을 가치").input_value() == "발견, 고요"
    press(phone)
    read_lines(phone)


def test_fits_the_phone_and_says_what_wrote(phone: Page, adapter) -> None:
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    footer = phone.locator("footer").text_content() or ""
    assert f"{adapter.id}@{adapter.revision[:7]}" in footer
    assert f"{adapter.id.split('/')[0]}/tiny-copy" in footer
    assert "사람이 확인" in footer
    assert phone.evaluate("document.documentElement.lang") == "ko"


def test_nothing_leaves_the_machine(phone: Page) -> None:
    hosts = {urlsplit(url).hostname for url in phone.seen if urlsplit(url).scheme not in ("data", "blob")}
    assert hosts == {"127.0.0.1"}
    assert phone.thrown == []
