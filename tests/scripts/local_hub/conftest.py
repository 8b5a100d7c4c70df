"""One served store for all tests here, and real clients that see nothing of the user's machine."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi, constants
from typer.testing import CliRunner

from scripts.core import env
from scripts.local_hub.lifecycle import Endpoint, running

ROOT = Path(__file__).resolve().parents[3]
Hanjul = Callable[..., list[str]]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def endpoint(scratch: Path) -> Iterator[Endpoint]:
    """The session's local Hub, at the HF_ENDPOINT that `tests/conftest.py` set before any client was imported.

    That file's `hub` fixture serves the same store: whichever comes second reuses the server of the first.
    """
    with running(scratch / "session-hub", urlsplit(constants.ENDPOINT).port or 0) as served:
        yield served


@pytest.fixture
def api(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setenv("HF_TOKEN", endpoint.token)
    return HfApi(token=endpoint.token)


@pytest.fixture
def anonymous(endpoint: Endpoint, api: HfApi) -> HfApi:
    return HfApi(token=False)


@pytest.fixture
def repo_id() -> str:
    """A name that no other test uses."""
    return f"team/repo-{next(_numbers)}"


@pytest.fixture
def hanjul(scratch: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Hanjul:
    """Run `hanjul hub …` on the served store; its lines."""
    monkeypatch.setattr(env, "hub_store", lambda: scratch / "session-hub")

    def run(*command: str, ends: int = 0) -> list[str]:
        from scripts.cli import app

        done = CliRunner().invoke(app, ["hub", *command])
        assert done.exit_code == ends, done.output
        return done.output.splitlines()

    return run


@pytest.fixture
def person(hanjul: Hanjul, endpoint: Endpoint) -> Callable[..., HfApi]:
    """A client of a user, who is added where they are new, with a token made by these flags."""

    def client_of(name: str = "", *flags: str) -> HfApi:
        name = name or f"person-{next(_numbers)}"
        if not any(line.startswith(f"{name}\t") for line in hanjul("users", "list")):
            hanjul("users", "add", name)
        (token,) = hanjul("users", "tokens", "add", name, "--name", f"token-{next(_numbers)}", *flags)
        return HfApi(endpoint=endpoint.url, token=token)

    return client_of


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
def client(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run a script in a process of its own; its last line on stdout is JSON and is returned.

    `publisher=False` is a stranger without a token. Xet is left on, as it is by default.
    """

    def run(script: str, *, publisher: bool = True) -> Any:
        rights = {"HF_TOKEN": endpoint.token} if publisher else {}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=clean_environment(tmp_path_factory.mktemp("home"), HF_ENDPOINT=endpoint.url, **rights),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
