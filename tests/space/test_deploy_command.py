"""`hanjul space deploy` and `hanjul space run`, as they are typed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfUri
from typer.testing import CliRunner, Result

from pipelines.errors import HanjulError
from scripts import cli
from scripts.demo import render, requirements, waiting
from scripts.stages import space
from tests.scripts.demo.small_page import write_page
from tests.space.browser import wait_for

ROOT = Path(__file__).parent.parent.parent
LINE = "비 오는 날도 수건은 뽀송"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small page in the place of `space/`."""
    folder = write_page(tmp_path)
    for name in ("README.md", "examples.json", *(f"requirements/{lock}.txt" for lock in requirements.ENGINES)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((render.FOLDER / name).read_bytes())
    monkeypatch.setattr(render, "FOLDER", folder)
    return folder


@pytest.fixture
def typed(hub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the session's local Hub."""

    @contextmanager
    def session(recipe: Any = None) -> Iterator[Any]:
        yield hub

    monkeypatch.setattr(cli, "hub_session", session)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli.app, ["space", *words], catch_exceptions=False)

    return run


def test_a_deployment_to_the_local_hub_says_that_nothing_runs(hub, adapter, page: Path, typed, capfd) -> None:
    done = typed("deploy", adapter.to_uri(), "--set", "space.repo=said", "--hardware", "cpu", "--variable", "A=1")
    assert done.exit_code == 0
    made = hub.resolve(f"hf://spaces/{hub.namespace}/said")
    assert capfd.readouterr().out.splitlines() == [made.to_uri()]  # nothing else: it has no page of its own
    assert "nothing runs on the local Hub; `hanjul space run hf://spaces/local/said`" in done.stderr
    assert hub.api.get_space_runtime(made.id).requested_hardware == "cpu-basic"
    assert hub.api.get_space_variables(made.id)["A"].value == "1"


def test_a_flag_wins_over_a_set(hub, adapter, page: Path, typed) -> None:
    words = ("deploy", adapter.to_uri(), "--set", "space.repo=flagged", "--set", "space.hardware=cpu")
    for more, flavor in (((), "cpu-basic"), (("--hardware", "l4x1"), "l4x1")):
        assert typed(*words, *more).exit_code == 0
        assert hub.api.get_space_runtime(f"{hub.namespace}/flagged").requested_hardware == flavor


def test_the_very_folder_is_tried_here_when_asked_for(hub, adapter, page: Path, typed, capfd) -> None:
    done = typed("deploy", adapter.to_uri(), "--set", "space.repo=tried", "--wait")
    assert done.exit_code == 0, done.stderr
    assert f"the page writes: {LINE}" in done.stderr
    assert capfd.readouterr().out.splitlines()[-1] == hub.resolve(f"hf://spaces/{hub.namespace}/tried").to_uri()


def test_a_folder_that_cannot_start_is_no_success(hub, adapter, page: Path, typed, capfd) -> None:
    (page / "app.py").write_text("raise SystemExit('settings.json cannot be used')\n", encoding="utf-8")
    done = typed("deploy", adapter.to_uri(), "--set", "space.repo=broken", "--wait")
    assert done.exit_code == 1
    assert "The page ended by itself (exit code 1)" in done.stderr
    assert "next:" in done.stderr
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "settings.json cannot be used" in printed.err


def test_votes_have_a_dataset_and_a_variable(hub, adapter, page: Path, typed, monkeypatch) -> None:
    monkeypatch.setenv("SPACE_TOKEN", "hf_of_the_space")
    words = ("deploy", adapter.to_uri(), "--set", "space.repo=voted")
    assert typed(*words, "--feedback", "voted-feedback", "--secret", "HF_TOKEN=SPACE_TOKEN").exit_code == 0
    made = hub.resolve(f"hf://spaces/{hub.namespace}/voted")
    assert hub.api.dataset_info(f"{hub.namespace}/voted-feedback").private
    assert hub.api.get_space_variables(made.id)["HANJUL_FEEDBACK"].value == f"{hub.namespace}/voted-feedback"
    assert hub.api.get_space_secrets(made.id).keys() == {"HF_TOKEN"}
    files = "".join(path.read_text("utf-8", "replace") for path in hub.snapshot(made).rglob("*") if path.is_file())
    assert f'"feedback": "{hub.namespace}/voted-feedback"' in files
    assert "hf_of_the_space" not in files
    assert typed(*words).exit_code == 0
    assert "HANJUL_FEEDBACK" not in hub.api.get_space_variables(made.id)


def test_a_secret_that_is_not_there_ends_it_before_it_begins(hub, adapter, page: Path, typed) -> None:
    done = typed("deploy", adapter.to_uri(), "--set", "space.repo=never", "--secret", "ABSENT_TOKEN")
    assert done.exit_code == 1
    assert hub.head(hub.repo("space", "never")) is None


@pytest.mark.parametrize(("words", "waits"), [((), True), (("--no-wait",), False)])
def test_on_the_real_hub_the_page_stands_above_the_uri(
    adapter, words: tuple[str, ...], waits: bool, monkeypatch, capfd
) -> None:
    made = HfUri(type="space", id="ns/page", revision="a" * 40)
    waited: list[Any] = []

    class Real:
        """What the command asks of a Hub that is not the local one."""

        is_local = False
        api = type("Api", (), {"endpoint": "https://huggingface.co"})()

        def resolve(self, uri: str, kind: str) -> HfUri:
            return adapter

    @contextmanager
    def session(recipe: Any = None) -> Iterator[Any]:
        yield Real()

    monkeypatch.setattr(cli, "hub_session", session)
    monkeypatch.setattr("scripts.demo.facts.gguf_of", lambda hub, uri: None)
    monkeypatch.setattr(space, "deploy", lambda *_, **__: made)
    monkeypatch.setattr(waiting, "check_deployed", lambda *given: waited.append(given[1:]))
    assert CliRunner().invoke(cli.app, ["space", "deploy", adapter.to_uri(), *words]).exit_code == 0
    assert capfd.readouterr().out.splitlines() == ["https://huggingface.co/spaces/ns/page", made.to_uri()]
    assert waited == ([(made, 1800)] if waits else [])


def test_port_in_use_is_refused(hub, deployed: HfUri) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(HanjulError, match="The port is in use"):
            space.serve(hub, deployed, other.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_page_is_served_until_it_is_told_to_stop(hub, adapter, page: Path, typed, number: int) -> None:
    typed("deploy", adapter.to_uri(), "--set", "space.repo=served")
    code = (
        "import sys; from huggingface_hub import parse_hf_uri;"
        "from scripts.hub.connect import connect; from scripts.stages import space;"
        "hub = connect(); space.serve(hub, hub.resolve(parse_hf_uri(sys.argv[1])), 0)"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code, f"hf://spaces/{hub.namespace}/served"],
        cwd=ROOT,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert command.stdout
        address = command.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        wait_for(address + "/status")
    finally:
        command.send_signal(number)
        assert command.wait(60) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rsplit(":", 1)[1]))) != 0


def test_an_adapter_is_served_from_a_folder_for_the_occasion(hub, adapter) -> None:
    with space.folder_of(hub, adapter) as folder:
        assert {"app.py", "settings.json", "requirements.txt"} <= {path.name for path in folder.iterdir()}
    assert not folder.exists()
