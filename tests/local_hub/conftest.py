"""One served store for all tests here, and real clients that see nothing of the user's machine."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from scripts.local_hub.lifecycle import Endpoint, running

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def hub_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub-store")


@pytest.fixture(scope="session")
def hub(hub_store: Path) -> Iterator[Endpoint]:
    with running(hub_store) as endpoint:
        yield endpoint


@pytest.fixture
def api(hub: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """A client in this process: huggingface_hub read its environment long ago, so its constants are replaced."""
    home = constants.HF_HOME
    for name, value in vars(constants).items():
        if isinstance(value, str) and value.startswith(home):
            monkeypatch.setattr(constants, name, str(tmp_path / "hf") + value.removeprefix(home))
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def anonymous(hub: Endpoint, api: HfApi) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


@pytest.fixture
def repo_id() -> str:
    """A name that no other test uses."""
    return f"team/repo-{next(_numbers)}"


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """An environment for child processes without the user's caches, tokens and proxies."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
    return kept | {
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "PYTHONPATH": str(ROOT),
        "TOKENIZERS_PARALLELISM": "false",
        **extra,
    }


@pytest.fixture(scope="session")
def client(hub: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run a script in a process of its own; its last line on stdout is JSON and is returned.

    `publisher=False` is a stranger: no token, and Xet left on as it is by default.
    """

    def run(script: str, *, publisher: bool = True) -> Any:
        rights = {"HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1"} if publisher else {}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=clean_environment(tmp_path_factory.mktemp("home"), HF_ENDPOINT=hub.url, **rights),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
