"""The smoke test of a deployment, against a page in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pipelines.errors import HanjulError
from scripts.demo import serving, smoke
from scripts.demo.smoke import check_page
from tests.scripts.demo.small_page import direct, write_page

LINE = "비 오는 날도 수건은 뽀송"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Page]:
    with serving.running(write_page(tmp_path_factory.mktemp("small")), 0) as served:
        check_page(served.address, 60, look_after=served.check)
        yield served


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "EVERY_S", 0.05)


def test_a_page_that_writes_has_been_deployed(page: serving.Page, capfd) -> None:
    direct(page.folder, ["loading", "loading", "ready"], [LINE])
    assert check_page(page.address, 60) == LINE
    assert LINE in capfd.readouterr().err


@pytest.mark.parametrize(
    ("states", "lines", "said"),
    [
        (["loading", "problem"], [LINE], "The page cannot write: 모델을 불러오지 못했습니다."),
        (["ready"], "refuse", "The page writes no line: 지금은 쓸 수 없습니다."),
        (["ready"], [], "no line of copy"),
        (["ready"], ["just some English"], "no line of copy"),
    ],
)
def test_what_is_wrong_is_said(page: serving.Page, states: list[str], lines: Any, said: str) -> None:
    direct(page.folder, states, lines)
    with pytest.raises(HanjulError) as raised:
        check_page(page.address, 60)
    assert said in str(raised.value)
    assert raised.value.next_step


def test_it_takes_no_longer_than_it_may(page: serving.Page) -> None:
    direct(page.folder, ["loading"], [LINE])
    with pytest.raises(HanjulError, match="too long to load its model"):
        check_page(page.address, 0.3)
    direct(page.folder, ["ready"], "slow")
    with pytest.raises(HanjulError, match="too long to write a line"):
        check_page(page.address, 0.5)


def test_a_page_that_cannot_start_is_noticed_at_once(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nothing_of_this_name\n", encoding="utf-8")
    with serving.running(tmp_path, 0) as page, pytest.raises(HanjulError, match="ended by itself"):
        check_page(page.address, 60, look_after=page.check)


def test_all_that_a_page_has_started_ends_with_it(tmp_path: Path) -> None:
    with serving.running(write_page(tmp_path), 0) as page:
        check_page(page.address, 60)
        child = httpx2.get(f"{page.address}/status").json()["child"]
        assert Path(f"/proc/{child}").exists()
    assert page.process.poll() is not None
    deadline = time.monotonic() + 5
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
