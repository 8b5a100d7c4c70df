"""Who waits for another process says for what and for whom; who does not, says nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import locks
from pipelines.locks import locked

HOLD = """
import sys, pathlib
from pipelines.locks import locked
with locked(pathlib.Path(sys.argv[1]), "toy"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "toy-0123"


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its stdin ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout and child.stdout.readline() == "held\n"
    return child


@pytest.mark.field
def test_who_waits_says_so_once(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = holder(path)
    monkeypatch.setattr(locks, "SILENT_S", 0.05)

    def told(line: str, stream: object) -> None:
        assert child.stdin
        child.stdin.close()  # the wait ends
        print(line, file=sys.stderr)

    monkeypatch.setattr(locks, "write_line", told)
    with locked(path, "filter, local/x"):
        assert child.wait(10) == 0
    line = f"filter, local/x: waiting for another process (pid {child.pid}), which is at it\n"
    assert capsys.readouterr().err == line


def test_a_holder_that_was_killed_is_not_waited_for(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    child = holder(path)
    child.kill()
    child.wait()
    assert path.with_name("toy-0123.holder").read_text() == str(child.pid)
    with locked(path, "toy"):
        assert path.with_name("toy-0123.holder").read_text() == str(os.getpid())
    assert not path.with_name("toy-0123.holder").exists()
    assert capsys.readouterr().err == ""


def test_it_is_let_go_of_after_an_error(path: Path) -> None:
    with pytest.raises(KeyError), locked(path, "toy"):
        raise KeyError
    child = holder(path)
    child.communicate("", timeout=10)
    assert child.returncode == 0


def test_no_lock_of_the_code_base_is_held_in_silence() -> None:
    root = Path(locks.__file__).parents[1]
    users = {
        path.relative_to(root).as_posix()
        for package in ("pipelines", "dataset_card", "model_card", "scripts", "space")
        for path in (root / package).rglob("*.py")
        if "FileLock(" in path.read_text(encoding="utf-8")
    }
    assert users == {"pipelines/locks.py", "scripts/local_hub/server.py"}  # the latter does not wait
