"""What goes wrong is a sentence in the page, what had come stays, and a press tries again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.space.browser import ask, open_page, press, read_lines, rows
from tests.space.page_script import COPY, Script
from tests.space.page_server import Desk

KEPT = " 그때까지 나온 카피 2개는 남겨 두었습니다."


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("problem", "오늘 쓸 수 있는 GPU 시간을 다 썼습니다." + KEPT),
        ("error", "카피를 쓰다가 문제가 생겼습니다. 다시 시도해 주세요." + KEPT),
        ("cut", "서버와 연결이 끊겼습니다. 잠시 뒤 다시 시도해 주세요." + KEPT),
        ("full", "지금 쓰려는 사람이 많아 더 받지 못합니다. 잠시 뒤 다시 시도해 주세요."),
        ("broken", "서버가 요청을 받지 못했습니다(HTTP 500). 잠시 뒤 다시 시도해 주세요."),
    ],
)
def test_every_failure_has_its_sentence_and_can_be_tried_again(
    page: Page, script: Script, trouble: str, sentence: str
) -> None:
    script.trouble, script.hold_after = trouble, 2
    ask(page, "제습기", "여유")
    expect(page.get_by_role("alert")).to_have_text(sentence)
    kept = 2 if KEPT in sentence else 0
    expect(rows(page)).to_have_count(kept)
    expect(page.locator(".pending")).to_have_count(0)
    script.trouble, script.hold_after = "", None
    page.get_by_role("button", name="다시 쓰기").click()
    assert read_lines(page) == COPY[:5]
    expect(rows(page, "#rounds")).to_have_count(kept)


def test_a_stream_that_falls_silent_is_given_up(new_tab: Page, desk: Desk, script: Script) -> None:
    page = new_tab
    page.clock.install()
    open_page(page, desk.url)
    script.trouble, script.hold_after = "silent", 2
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(2)
    page.clock.run_for(44_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.clock.run_for(2_000)
    expect(page.get_by_role("alert")).to_have_text("서버가 45초 동안 답하지 않습니다. 다시 시도해 주세요." + KEPT)


def test_without_a_network_the_page_says_so(page: Page) -> None:
    page.context.set_offline(True)
    ask(page, "제습기", "여유")
    expect(page.get_by_role("alert")).to_have_text("인터넷에 연결되어 있지 않습니다. 연결한 뒤 다시 시도해 주세요.")
    page.context.set_offline(False)
    page.get_by_role("button", name="다시 쓰기").click()
    assert len(read_lines(page)) == 5


def test_while_the_model_loads_a_press_waits_for_it(page: Page, desk: Desk, script: Script) -> None:
    script.state = "loading"
    open_page(page, desk.url)
    expect(page.locator("#state")).to_contain_text("모델을 불러오는 중입니다(2단계 가운데 1단계, 기반 모델)")
    ask(page, "제습기", "여유")
    expect(page.locator("#current .said.loading")).to_have_text("모델을 불러오는 중입니다. 준비되는 대로 씁니다.")
    page.locator("#values").press_sequentially("뽀송")
    script.state = "ready"
    assert read_lines(page) == COPY[:5]
    expect(page.locator("#state")).to_be_empty()
    expect(page.locator("#values")).to_have_value("뽀송")


def test_a_model_that_cannot_be_loaded_and_a_server_that_is_away(new_tab: Page, desk: Desk, script: Script) -> None:
    script.state = "problem"
    page = new_tab
    page.clock.install()
    open_page(page, desk.url)
    expect(page.locator("#state.problem")).to_have_text("모델을 불러오지 못했습니다.")
    page.context.set_offline(True)
    page.clock.run_for(4_000)
    expect(page.locator("#state.problem")).to_have_text("서버에 닿지 못했습니다. 계속 다시 시도하고 있습니다.")
    page.context.set_offline(False)
    script.state = "ready"
    page.clock.run_for(4_000)
    expect(page.locator("#state")).to_be_empty()


def test_who_waits_sees_how_many_are_ahead(page: Page, script: Script) -> None:
    script.ahead = 3
    ask(page, "제습기", "여유")
    expect(page.locator("#current .said")).to_have_text("앞에 3명이 기다립니다. 차례가 되면 바로 씁니다.")
    script.ahead = 0
    assert len(read_lines(page)) == 5


def test_stopping_keeps_what_had_come(page: Page, script: Script) -> None:
    script.hold_after = 2
    page.get_by_label("기반 모델과 나란히 보기").check()
    ask(page, "제습기", "여유")
    expect(rows(page)).to_have_count(4)
    page.locator("#write").press("Enter")
    expect(page.locator("#announce")).to_have_text(re.compile("지금 쓰는 중입니다"))
    assert len(script.asked) == 2
    page.get_by_role("button", name="멈추기").click()
    expect(page.locator("#current .said")).to_have_text(["멈췄습니다 · 그때까지 나온 카피 2개."] * 2)
    expect(page.locator(".pending")).to_have_count(0)
    expect(page.get_by_role("button", name="멈추기")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "result-name"
    assert sorted(script.stopped) == sorted(asked["job"] for asked in script.asked)
    script.hold_after = None
    press(page)
    assert len(read_lines(page)) == 10


def test_a_verdict_that_is_not_taken_is_told_and_sent_again(page: Page, script: Script) -> None:
    ask(page, "제습기", "여유")
    read_lines(page)
    script.refuse_feedback = "판단이 너무 많이 왔습니다. 잠시 뒤에 다시 보내 주세요."
    row = rows(page).first
    row.get_by_role("button", name="좋아요").click()
    expect(row.get_by_role("alert")).to_contain_text(f"판단을 보내지 못했습니다. {script.refuse_feedback}")
    assert script.told == []
    script.refuse_feedback = ""
    row.get_by_role("button", name="다시 보내기").click()
    expect(row.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#announce")).to_have_text("판단을 보냈습니다.")
    expect(row.get_by_role("button", name="좋아요")).to_be_focused()
    assert [told["kind"] for told in script.told] == ["like"]
