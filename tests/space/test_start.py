"""`python app.py` in a process of its own: what is there at once, what waits, and that it calls nobody."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio
import httpx
import pytest
from quick import without_stubs

from tests.conftest import _free_port
from tests.space.browser import wait_for
from tests.space.conftest import SPACE
from tests.space.scripted import PAGE, press, texts

OURS = (
    "app",
    "jobs",
    "loading",
    "messages",
    "plain_text",
    "quick",
    "request",
    "settings",
    "web/__init__",
    "web/calls",
    "web/endpoints",
    "web/guard",
    "web/routes",
    "web/server",
    "web/tool",
    "writer",
)
SETTINGS = """{"adapter": "a/b", "revision": null, "base_model": "c/d", "dataset": "", "title": "한 줄", "examples": [],
"prompt_format": "{product} {values}"}"""
#: In place of the parts that load weights and wordings.
PARTS = {
    "engines.py": """
import threading, time
from pathlib import Path
from request import Problem

class Engine:
    name, can_compare, concurrency = "scripted", False, 2
    def load(self):
        thread = threading.current_thread() is threading.main_thread()
        with Path("loads").open("a") as file:
            file.write(f"{thread} ")
        while Path("hold").exists():
            time.sleep(0.02)
        if Path("broken").exists():
            raise Problem("load-memory")
    def lines(self, chat, count, temperature, seed, *, base=False, stopped=lambda: False):
        from gradio.context import LocalContext
        visitor = LocalContext.request.get().headers["x-ip-token"]
        while Path("slow").exists() and not stopped():
            time.sleep(0.02)
        yield from (f"{visitor} {place}" for place in range(count))

def choose(settings):
    return Engine()
""",
    "critic.py": """
class Critic:
    def __init__(self, folder, judge): pass
    def load(self): pass
    def refuse(self, product, values): return ""
    def fault(self, product, values, line): return ""
    def scores(self, product, values, lines): return [0.0] * len(lines)
    def is_personal(self, text): return False
""",
    "feedback.py": """
class Feedback:
    off = True
    def __init__(self, *facts, **options): pass
    def close(self): pass
""",
    "selection.py": "from tests.space.scripted import Selection\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Space as the Hub's cache holds one: every file is a link."""
    blobs, space = tmp_path / "blobs", tmp_path / "space"
    (space / "page").mkdir(parents=True)
    blobs.mkdir()
    (space / "web").mkdir()
    for name in OURS:
        blob = blobs / f"blob-{name.replace('/', '-')}"
        shutil.copy(SPACE / f"{name}.py", blob)
        (space / f"{name}.py").symlink_to(blob)
    for name, code in PARTS.items():
        (space / name).write_text(code, encoding="utf-8")
    (space / "settings.json").write_text(SETTINGS, encoding="utf-8")
    (blobs / "index").write_text(PAGE, encoding="utf-8")
    (space / "page" / "index.html").symlink_to(blobs / "index")
    (blobs / "script").write_text("export {};", encoding="utf-8")
    (space / "page" / "page.js").symlink_to(blobs / "script")
    return space


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python app.py` and its address, once it answers."""
    port = _free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "PYTHONPATH": str(SPACE.parent),  # for the stand-ins
        "GRADIO_SERVER_PORT": str(port),
        "NO_PROXY": "127.0.0.1,localhost",
        **environment,
    }
    with (folder.parent / "log").open("w+") as log:
        app = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=variables, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}", app)
            yield f"http://127.0.0.1:{port}", app
        except Exception:
            print(log.seek(0) or log.read())
            raise
        finally:
            app.terminate()
            app.wait(20)


def wait_for_state(url: str, state: str) -> dict[str, str]:
    deadline = time.monotonic() + 20
    while (status := httpx.get(f"{url}/status").json())["state"] != state:
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
    return status["message"]  # type: ignore[no-any-return]


def test_the_page_is_there_while_the_model_loads_and_nobody_is_called(folder: Path) -> None:
    (folder / "hold").touch()
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        called: list[bytes] = []
        threading.Thread(target=_answer, args=(proxy, called), daemon=True).start()
        outside = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        started = time.monotonic()
        with running(folder, HTTP_PROXY=outside, HTTPS_PROXY=outside, http_proxy=outside, https_proxy=outside) as (
            url,
            _,
        ):
            print(f"the page answered after {time.monotonic() - started:.1f} s")
            assert "<title>한 줄</title>" in httpx.get(url).text
            assert httpx.get(f"{url}/page/page.js").text == "export {};"
            assert httpx.get(f"{url}/status").json()["state"] == "loading"
            events = press(url, headers={"X-IP-Token": "visitor"})
            assert next(events)["state"] == "loading"
            (folder / "hold").unlink()
            assert texts(list(events)[-1]) == ["visitor 0", "visitor 1"]  # the engine knows who asks, as ZeroGPU must
        assert (folder / "loads").read_text() == "False "
        assert called == []


def _answer(proxy: socket.socket, called: list[bytes]) -> None:
    """Note who calls, and hang up."""
    while True:
        try:
            caller, _ = proxy.accept()
        except OSError:
            return
        with caller:
            called.append(caller.recv(1000))


def test_zero_gpu_loads_in_the_main_thread_and_never_again(folder: Path) -> None:
    place = {"SYSTEM": "spaces", "SPACE_ID": "me/my-desk", "GRADIO_SERVER_NAME": "0.0.0.0"}
    with running(folder, SPACES_ZERO_GPU="1", **place) as (url, _):
        assert (folder / "loads").read_text() == "True "
        (tool,) = httpx.get(f"{url}/gradio_api/mcp/schema").json()
        assert tool["name"] == "write_copy"
        *_, last = press(url, headers={"X-IP-Token": "visitor"})
        assert len(texts(last)) == 2


def test_zero_gpu_that_could_not_load_says_restart(folder: Path) -> None:
    (folder / "broken").touch()
    with running(folder, SPACES_ZERO_GPU="1") as (url, _):
        said = wait_for_state(url, "problem")
        assert said["en"] == (
            "There is not enough memory to load the model. "
            "This Space has to be restarted before it can load the model. Please tell its owner."
        )
        (folder / "broken").unlink()
        *_, last = press(url)
        assert (last["state"], last["message"]) == ("problem", said["ko"])
        assert (folder / "loads").read_text() == "True "


def test_elsewhere_the_next_press_loads_again(folder: Path) -> None:
    (folder / "broken").touch()
    with running(folder) as (url, _):
        assert wait_for_state(url, "problem")["ko"] == "메모리가 모자라 모델을 불러오지 못했습니다."
        (folder / "broken").unlink()
        *_, last = press(url, headers={"X-IP-Token": "visitor"})
        assert len(texts(last)) == 2
        assert (folder / "loads").read_text() == "False False "


def test_the_page_ends_soon_though_a_job_is_written(folder: Path) -> None:
    (folder / "slow").touch()
    with running(folder) as (url, app):
        events = press(url, headers={"X-IP-Token": "visitor"})
        while next(events)["state"] != "writing":
            pass
        app.send_signal(signal.SIGINT)
        assert app.wait(15) == 0


def test_gradio_writes_no_stubs_within_and_everything_is_as_before_after() -> None:
    before = inspect.getfile
    with without_stubs():
        with pytest.raises(OSError, match="no stub"):
            inspect.getfile(gradio.Textbox)
        assert inspect.getfile(httpx.Client) == before(httpx.Client)
    assert inspect.getfile is before
