"""The page as the world gets it: an adapter and a Space on a Hub, the Space started with HF_ENDPOINT alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pipelines.rows import PROMPT_FORMAT
from tests.space.browser import CHROMIUM, DESKTOP, chromium, open_page, wait_for
from tests.space.page_script import Script
from tests.space.page_server import Desk, serving

SPACE = Path(__file__).parent.parent.parent / "space"
sys.path.insert(0, str(SPACE))  # the page's modules import each other as siblings

import settings  # noqa: E402

settings.keep_quiet()  # before any test imports Gradio


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny adapter; its base lies beside it."""
    from tests.tiny.adapter import make_adapter

    return make_adapter(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def adapter(hub, tiny: Path, tmp_path_factory: pytest.TempPathFactory):
    """The tiny adapter on the Hub, as a release leaves one: base, hanjul.json, card; pinned."""
    from huggingface_hub import HfUri, ModelCard, ModelCardData

    base, repo = f"{hub.namespace}/tiny-base", f"{hub.namespace}/tiny-lora"
    folder = tmp_path_factory.mktemp("adapter")
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": base}))
    (folder / "hanjul.json").write_text(json.dumps({"prompt_format": PROMPT_FORMAT}))
    data = ModelCardData(base_model=base, datasets=[f"{hub.namespace}/tiny-copy"], library_name="peft")
    (folder / "README.md").write_text(str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n# tiny\n")))
    for repo_id, path in ((base, tiny.parent / "base"), (repo, folder)):
        hub.api.create_repo(repo_id, exist_ok=True)
        commit = hub.api.upload_folder(repo_id=repo_id, folder_path=path)
    return HfUri(type="model", id=repo, revision=commit.oid)


@pytest.fixture(scope="session")
def deployed(hub, adapter):
    """The Space on the Hub, pinned."""
    from scripts.core.settings import Recipe
    from scripts.stages import space

    return space.deploy(hub, adapter, Recipe.model_validate({"space": {"repo": "tiny-space"}}))


@pytest.fixture(scope="session")
def address(hub, deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served page. The folder is the Hub cache itself, where every file is a link."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium fonts-nanum)")
    from tests.conftest import _free_port

    port, folder = _free_port(), tmp_path_factory.mktemp("page")
    environment = {"HF_ENDPOINT": os.environ["HF_ENDPOINT"], "GRADIO_SERVER_PORT": str(port), "HOME": str(folder)}
    with (folder / "log").open("w+") as log:
        app = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=hub.snapshot(deployed),
            env=environment | {"PATH": os.environ["PATH"]},
            stdout=log,
            stderr=log,
        )
        try:
            started = time.monotonic()
            wait_for(f"http://127.0.0.1:{port}", app)
            print(f"the page answered after {time.monotonic() - started:.1f} s")
            yield f"http://127.0.0.1:{port}"
        finally:
            app.terminate()
            app.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium fonts-nanum)")
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """The page on a server that does what a test tells it to."""
    from tests.conftest import _free_port

    with serving(_free_port()) as served:
        yield served


@pytest.fixture
def script(desk: Desk) -> Iterator[Script]:
    """What the server does in this test."""
    desk.script = Script()
    yield desk.script
    desk.script.go.set()


@contextmanager
def visit(browser: Browser) -> Iterator[Page]:
    """A tab of a visitor at a desktop, who reads Korean."""
    permissions = ["clipboard-read", "clipboard-write"]
    with browser.new_context(viewport=DESKTOP, locale="ko-KR", permissions=permissions) as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """One tab for the tests of a module: a new one costs more than most of them."""
    with visit(browser) as page:
        yield page


@pytest.fixture
def new_tab(browser: Browser) -> Iterator[Page]:
    """A tab for one test, with nothing in it: for what changes the clock or the browser itself."""
    with visit(browser) as page:
        yield page


@pytest.fixture
def page(tab: Page, desk: Desk, script: Script) -> Iterator[Page]:
    """The page as at a first visit. It throws nothing and breaks no rule of the server's content policy."""
    thrown: list[str] = []
    listeners = {
        "pageerror": lambda error: thrown.append(str(error)),
        "console": lambda said: thrown.append(said.text) if "Content Security" in said.text else None,
    }
    tab.goto(f"{desk.url}/status")
    tab.evaluate("sessionStorage.clear(); localStorage.clear()")
    for event, listener in listeners.items():
        tab.on(event, listener)  # type: ignore[call-overload]
    open_page(tab, desk.url)
    yield tab
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    assert thrown == []
