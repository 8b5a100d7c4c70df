"""The Space repo, and the same page on this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from huggingface_hub import HfUri, SpaceCard

from pipelines.errors import HanjulError
from pipelines.rows import PROMPT_FORMAT
from pipelines.text.markdown import cell
from scripts.core.settings import Recipe
from scripts.stages import space
from tests.space.browser import wait_for

ROOT = Path(__file__).parent.parent.parent


def test_space_holds_the_page_pinned_to_the_adapter(hub, adapter, deployed: HfUri) -> None:
    folder = hub.snapshot(deployed)
    assert {path.name for path in folder.iterdir()} >= {*space.PAGE, "settings.json", "requirements.txt", "README.md"}
    assert not (folder / "examples.json").exists()
    settings = json.loads((folder / "settings.json").read_text())
    assert len(settings.pop("examples")) >= 4
    assert settings == {
        "adapter": adapter.id,
        "revision": adapter.revision,
        "base_model": f"{hub.namespace}/tiny-base",
        "dataset": f"{hub.namespace}/tiny-copy",
        "prompt_format": PROMPT_FORMAT,
        "title": "한 줄 Hanjul",
    }
    pins = (folder / "requirements.txt").read_text().splitlines()
    assert f"gradio=={metadata.version('gradio')}" in pins
    assert all("==" in pin and "+" not in pin for pin in pins)


def test_card_says_what_runs_and_on_what(hub, adapter, deployed: HfUri) -> None:
    card = SpaceCard(hub.text(deployed, "README.md"))
    data = card.data.to_dict()
    assert data["sdk"] == "gradio"
    assert data["sdk_version"] == metadata.version("gradio")
    assert data["app_file"] == "app.py"
    assert data["models"] == [adapter.id, f"{hub.namespace}/tiny-base"]
    assert data["datasets"] == [f"{hub.namespace}/tiny-copy"]
    assert len(data["short_description"]) <= 60  # the Hub's limit
    assert adapter.revision[:12] in card.text
    assert "{{" not in card.text
    assert hub.api.space_info(deployed.id).sdk == "gradio"


@pytest.mark.field
@pytest.mark.parametrize("title", ["봄 **여름**", "a: b # c", "<b>x</b> [링크](x)"])
def test_a_title_is_one_heading(hub, adapter, title: str, tmp_path: Path) -> None:
    space.render(hub, adapter, title, tmp_path)
    card = SpaceCard((tmp_path / "README.md").read_text(encoding="utf-8"))
    assert card.data.title == title
    assert card.text.strip().splitlines()[0] == f"# {cell(title)}"


def test_second_deploy_commits_nothing(hub, adapter, deployed: HfUri) -> None:
    again = space.deploy(hub, adapter, Recipe.model_validate({"space": {"repo": "tiny-space"}}))
    assert again == deployed


def test_repo_that_is_no_adapter_is_refused(hub, adapter) -> None:
    base = hub.resolve(HfUri(type="model", id=f"{hub.namespace}/tiny-base"))
    with pytest.raises(HanjulError, match="no adapter that Hanjul trained"):
        space.deploy(hub, base, Recipe())


def test_port_in_use_is_refused(hub, deployed: HfUri) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(HanjulError, match="The port is in use"):
            space.serve(hub, deployed, other.getsockname()[1])


def test_adapter_is_served_until_it_is_told_to_stop(hub, adapter) -> None:
    code = (
        "import sys; from huggingface_hub import parse_hf_uri;"
        "from scripts.hub.connect import connect; from scripts.stages import space;"
        "space.serve(connect(), parse_hf_uri(sys.argv[1]), 0)"
    )
    page = subprocess.Popen(
        [sys.executable, "-c", code, adapter.to_uri()],
        cwd=ROOT,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert page.stdout
        address = page.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        wait_for(address)
    finally:
        page.send_signal(signal.SIGINT)
        assert page.wait(20) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rsplit(":", 1)[1]))) != 0
