"""Tests never see the user's caches, tokens or network: the environment is set before any client is imported."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core import env
from tests.fitted import share

SCRATCH = Path(tempfile.mkdtemp(prefix="hanjul-tests-"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING_FACE", "HANJUL_", "OPENAI_"))]:
    del os.environ[name]
os.environ.update(
    HANJUL_HOME=str(SCRATCH / "hanjul"),
    HF_HOME=str(SCRATCH / "hf"),
    HF_ENDPOINT=f"http://127.0.0.1:{_free_port()}",
    HF_HUB_DISABLE_XET="1",
    DISTILABEL_CACHE=str(SCRATCH / "distilabel"),
    MPLCONFIGDIR=str(SCRATCH / "matplotlib"),
    NO_COLOR="1",
    COLUMNS="120",
)
env.opt_out()
share(SCRATCH / "hanjul")


@pytest.fixture(scope="session", autouse=True)
def scratch() -> Iterator[Path]:
    yield SCRATCH
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(scope="session")
def hub() -> Iterator[object]:
    """A `scripts.hub.hub.Hub` on the session's local Hub, at the HF_ENDPOINT that all clients were imported with."""
    from scripts.local_hub.lifecycle import running

    port = int(os.environ["HF_ENDPOINT"].rsplit(":", 1)[1])
    with running(SCRATCH / "session-hub", port) as endpoint:
        os.environ["HF_TOKEN"] = endpoint.token
        from scripts.hub.connect import connect

        yield connect()
        del os.environ["HF_TOKEN"]


@pytest.fixture(autouse=True)
def interruptible() -> None:
    """What a test did to Ctrl-C, or code of others in it, is not for the processes of the next one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored, by children too
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@pytest.fixture
def free_port() -> int:
    return _free_port()


@pytest.fixture(scope="session")
def critic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with package `checks` and `judge.npz`, as a Space carries them."""
    from scripts.demo.checks import write_checks
    from scripts.judging.published_judge import write_published_judge

    folder = tmp_path_factory.mktemp("critic")
    write_checks(folder)
    write_published_judge(folder / "judge.npz")
    return folder
