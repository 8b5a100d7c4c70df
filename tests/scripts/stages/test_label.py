"""`hanjul label` as people meet it: a served page, keys, taps, a kill, and the dataset in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from huggingface_hub import CommitOperationAdd
from playwright.sync_api import Browser, Page

from pipelines.errors import HanjulError
from pipelines.features import RAW, write_rows
from pipelines.rows import make_row
from scripts.labelling import votes_repo
from scripts.labelling.labelling_session import LabellingSession
from scripts.stages import label
from tests.scripts.labelling.lines import PAIRS, report, upload
from tests.space.browser import CHROMIUM, DESKTOP, PHONE, chromium

REPO = "votes-page"
TEXTS = {text for pair in PAIRS for text in pair[2:]}
SERVE = """
import sys
from scripts.core import env
env.opt_out()
from scripts.stages import label
from scripts.hub.connect import connect
uri = label.run(connect(), [sys.argv[1]], repo=sys.argv[2], question="overall", limit=120,
    host="127.0.0.1", port=0, push=sys.argv[3] == "push")
print(uri.to_uri() if uri else "kept")
"""


@pytest.fixture(scope="module")
def source(hub) -> str:
    return upload(hub, "voted-lora", report().to_json()).to_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium fonts-nanum)")
    with chromium() as found:
        yield found


@contextmanager
def served(source: str, push: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address of its page."""
    command = [sys.executable, "-c", SERVE, source, REPO, push]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def enter(page: Page, address: str, voter: str, voted: int) -> None:
    page.goto(address)
    page.get_by_label("별명").fill(voter)
    page.get_by_role("button", name="시작").click()
    at(page, voted)


def at(page: Page, voted: int) -> None:
    """So many votes are in, and whatever the lines hold stands there as text."""
    page.get_by_text(f"{voted}/{len(PAIRS)}", exact=True).wait_for(timeout=10_000)
    assert set(page.locator(".choice .line").all_text_contents()) <= TEXTS
    assert page.evaluate("window.hit") is None


def press(page: Page, key: str, voted: int) -> None:
    before = page.locator("[data-drawn]").get_attribute("data-drawn")
    page.keyboard.press(key)
    page.locator(f'[data-drawn]:not([data-drawn="{before}"])').wait_for(state="attached", timeout=10_000)
    at(page, voted)


def test_keys_and_a_kill(hub, browser: Browser, source: str) -> None:
    items = label.collect(hub, [source], None, label.SEED)
    kept = label.open_vote_log(hub.repo("dataset", REPO))
    shown = LabellingSession(items, kept, "overall", "가람", label.SEED)
    with served(source, "keep") as (process, address):
        page = browser.new_page(viewport=DESKTOP, locale="ko-KR")
        page.clock.install()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(address)
        page.get_by_label("별명").fill("me@example.com")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("이메일은 쓸 수 없습니다").wait_for()
        enter(page, address, "가람", 0)
        assert page.locator(".choice .line").all_text_contents() == list(shown.lines(items[0]))
        assert not any(name in page.content() for name in ("base@", "us/base", "adapter"))
        for key, voted in (("ArrowLeft", 1), ("2", 2), ("Space", 3), ("u", 2), ("Backspace", 1), ("0", 2), ("s", 2)):
            press(page, key, voted)
        press(page, "ArrowRight", 3)
        assert page.evaluate("document.activeElement.tagName") == "H1"
        process.send_signal(signal.SIGKILL)
        process.wait()
        page.keyboard.press("1")
        page.clock.fast_forward(7000)
        page.get_by_role("status").get_by_text("연결이 끊겼습니다").wait_for()
        assert thrown == []
    votes = {vote.item: vote for vote in kept.votes()}
    chosen = {"a": "line_a", "b": "line_b", "tie": "choice"}
    assert [getattr(votes[items[place].id], chosen[votes[items[place].id].choice]) for place in (0, 1, 3)] == [
        shown.lines(items[0])[0],
        "tie",
        shown.lines(items[3])[1],
    ]
    assert len(votes) == 3
    assert all(0 < vote.seconds < 60 for vote in votes.values())


def test_a_phone_goes_on_and_the_votes_are_published(hub, browser: Browser, source: str) -> None:
    with served(source, "push") as (process, address):
        context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="ko-KR")
        page = context.new_page()
        enter(page, address, "가람", 3)
        for voted in (4, 5):
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            page.locator(".choice").first.tap()
            at(page, voted)
        page.get_by_text("모두 투표했습니다").wait_for()
        assert page.evaluate("document.documentElement.lang") == "ko"
        page.reload()
        page.wait_for_function("document.querySelector('#voter')?.value === '가람'")
        process.send_signal(signal.SIGINT)
        printed = process.communicate(timeout=60)[0]
    votes = votes_repo.read(hub, hub.resolve(printed.split()[-1]))
    assert len(votes) == 5
    assert {vote.voter for vote in votes} == {"가람"}
    assert {text for vote in votes for text in (vote.line_a, vote.line_b)} == TEXTS


def test_items_of_a_dataset(hub, tmp_path) -> None:
    rows = [make_row("책", ["쉼"], text, teacher=teacher) for text, teacher in (("가", "t"), ("나", "t"), ("다", "u"))]
    write_rows(rows, tmp_path / "rows.parquet", RAW)
    repo = hub.repo("dataset", "voted-rows")
    hub.api.create_repo(repo.id, repo_type="dataset")
    card = b"---\nconfigs:\n- config_name: raw\n  data_files: raw/rows.parquet\n---\n"
    files = [
        CommitOperationAdd("raw/rows.parquet", tmp_path / "rows.parquet"),
        CommitOperationAdd("README.md", card),
    ]
    hub.api.create_commit(repo.id, files, repo_type="dataset", commit_message="rows")
    items = label.collect(hub, [repo.to_uri()], None, 1)
    assert {(item.line_a, item.line_b) for item in items} == {("가", "나"), ("가", "다"), ("나", "다")}
    assert len(label.collect(hub, [repo.to_uri()], 2, 1)) == 2


def test_where_there_is_nothing_to_ask(hub) -> None:
    alone = upload(hub, "voted-alone", report([("책", ("쉼",), "같다", "같다")]).to_json()).to_uri()
    old = upload(hub, "voted-old", "{}").to_uri()
    never = f"{hub.namespace}/voted-never"
    hub.api.create_repo(never)
    for source, said in (
        (alone, "two different lines"),
        (old, "cannot be read"),
        (f"hf://models/{never}", "evaluated"),
    ):
        with pytest.raises(HanjulError, match=said):
            label.collect(hub, [source], None, 0)
    with pytest.raises(HanjulError, match="nothing to take lines from"):
        label.collect(hub, [], None, 0)
    with pytest.raises(HanjulError, match="no such question"):
        label.run(hub, [alone], repo=REPO, question="best", limit=1, host="127.0.0.1", port=0, push=False)
