"""What was written in a visit stays: under the next lines, over a reload, in a file."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from tests.space.browser import ask, open_page, press, read_lines, rows
from tests.space.page_script import COPY, Script
from tests.space.page_server import Desk


def test_a_second_press_moves_the_lines_below(page: Page, script: Script) -> None:
    ask(page, "제습기", "뽀송함, 여유")
    first = read_lines(page)
    rows(page).first.get_by_role("button", name="좋아요").click()
    script.lines = COPY[5:]
    ask(page, "러닝화", "가벼움")
    assert read_lines(page) == COPY[5:]
    history = page.locator("#rounds")
    expect(history.locator("h3")).to_have_text(["제습기 뽀송함, 여유"])
    expect(history.locator("time")).to_have_text(re.compile(r"오[전후] \d+:\d\d"))
    assert rows(page, "#rounds").locator(".line").all_text_contents() == first
    expect(history.get_by_role("button", name="좋아요", pressed=True)).to_have_count(1)
    history.get_by_role("button", name="비슷하게 더").nth(1).click()
    read_lines(page)
    assert script.asked[2]["like"] == first[1]
    expect(history.locator("h3")).to_have_text(["러닝화 가벼움", "제습기 뽀송함, 여유"])


def test_a_reload_brings_all_back(page: Page) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    rows(page).nth(1).get_by_role("button", name="고치기").click()
    page.get_by_label("카피 고치기").fill("고친 말")
    page.get_by_label("카피 고치기").press("Enter")
    ask(page, "러닝화", "가벼움")
    read_lines(page)
    before = page.locator(".sheet .line").all_text_contents()
    page.reload()
    expect(page.locator("#current h3")).to_have_text("러닝화 가벼움")
    assert page.locator(".sheet .line").all_text_contents() == before
    assert "고친 말" in before


def test_a_reload_while_writing_keeps_what_had_come_and_says_so(page: Page, script: Script) -> None:
    script.hold_after = 2
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(2)
    page.reload()
    expect(rows(page).locator(".line")).to_have_text(COPY[:2])
    expect(page.locator("#current .said")).to_have_text(
        "쓰는 중에 페이지를 새로 열어 끊겼습니다 · 그때까지 나온 카피 2개."
    )
    expect(page.locator("#current .pending")).to_have_count(0)
    assert script.stopped == [script.asked[0]["job"]]
    script.go.set()
    page.get_by_role("button", name="다시 쓰기").click()
    assert read_lines(page) == COPY[:5]
    assert rows(page, "#rounds").locator(".line").all_text_contents() == COPY[:2]


def test_csv_opens_in_a_spreadsheet_and_runs_no_formula(page: Page, script: Script) -> None:
    script.lines = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", '말, "따옴표"']
    ask(page, "제습기", "뽀송함, 여유")
    read_lines(page)
    rows(page).nth(4).get_by_role("button", name="좋아요").click()
    rows(page).nth(4).get_by_role("button", name="고치기").click()
    page.get_by_label("카피 고치기").fill("고친 말")
    page.get_by_label("카피 고치기").press("Enter")
    script.lines = COPY
    ask(page, "=1+1", "여유")
    read_lines(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV로 받기").click()
    assert download.value.suggested_filename.startswith("hanjul-2")
    raw = download.value.path().read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert table[0] == ["쓴 때", "상품", "가치", "카피", "고치기 전", "판단", "모델"]
    assert [row[1:] for row in table[1:6]] == [["'=1+1", "여유", line, "", "", "학습한 모델"] for line in COPY[:5]]
    lines = ['\'=HYPERLINK("http://x","y")', "'+1", "'-1", "'@SUM(A1)", "고친 말"]
    assert [row[3] for row in table[6:]] == lines
    assert table[-1][1:] == ["제습기", "뽀송함, 여유", "고친 말", '말, "따옴표"', "좋아요", "학습한 모델"]


def test_deleting_the_history_can_be_undone(page: Page) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    press(page)
    read_lines(page)
    page.get_by_role("button", name="기록 지우기").click()
    expect(page.locator(".sheet .line")).to_have_count(0)
    expect(page.locator("#history-hint")).to_have_text("기록을 지웠습니다.")
    expect(page.get_by_role("button", name="되돌리기")).to_be_focused()
    page.get_by_role("button", name="되돌리기").press("Enter")
    expect(page.locator(".sheet .line")).to_have_count(10)
    expect(page.get_by_role("button", name="기록 지우기")).to_be_focused()
    page.get_by_role("button", name="기록 지우기").press("Enter")
    page.reload()
    expect(page.locator("#history")).to_be_hidden()
    expect(page.locator("#empty")).to_be_visible()


def test_deleting_while_writing_leaves_what_is_being_written(page: Page, script: Script) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    script.hold_after = 1
    press(page)
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="기록 지우기").click()
    expect(page.locator("#rounds .line")).to_have_count(0)
    script.go.set()
    assert read_lines(page) == COPY[:5]


def test_the_next_press_disturbs_no_edit_and_has_nothing_read_again(page: Page) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    rows(page).first.get_by_role("button", name="고치기").click()
    page.get_by_label("카피 고치기").fill("쓰다 만 말")
    press(page)
    read_lines(page)
    expect(page.locator("#rounds").get_by_label("카피 고치기")).to_have_value("쓰다 만 말")
    loud = "#rounds [role=status], #rounds [role=alert], #rounds [aria-live=polite]"
    expect(page.locator(loud)).to_have_count(0)


@pytest.mark.parametrize(
    "denial",
    [
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('', 'SecurityError') }})",
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }",
    ],
)
def test_a_browser_that_keeps_nothing(new_tab: Page, desk: Desk, script: Script, denial: str) -> None:
    page = new_tab
    page.add_init_script(denial)
    open_page(page, desk.url)
    ask(page, "제습기", "여유")
    read_lines(page)
    ask(page, "제습기", "여유")
    read_lines(page)
    expect(page.locator("#rounds .line")).to_have_count(5)
    expect(page.locator("#history-hint")).to_contain_text("새로 열면 사라집니다")
