"""The command as a person meets it: help, usage errors, known errors in one place."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, hanjul

COMMANDS = [
    "release",
    "pairs",
    "synthesize",
    "import",
    "filter",
    "train",
    "evaluate",
    "calibrate",
    "space",
    "generate",
    "hub",
    "doctor",
]


def test_help_names_every_command_and_loads_nothing_heavy(tmp_path: Path) -> None:
    done = hanjul("--help", home=tmp_path)
    assert done.returncode == 0
    assert all(re.search(rf"│ {command} ", done.stdout) for command in COMMANDS)
    probe = "import sys, scripts.cli; print([m for m in ('torch','huggingface_hub','datasets') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = hanjul(command, "--help", home=tmp_path)
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_usage_errors_exit_with_2(tmp_path: Path) -> None:
    assert hanjul("nonsense", home=tmp_path).returncode == 2
    assert hanjul("release", "--nonsense", home=tmp_path).returncode == 2


def one_sentence(done: subprocess.CompletedProcess[str], what: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert what in done.stderr
    assert "next:" in done.stderr


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("")
    one_sentence(hanjul("import", str(empty), home=tmp_path), "The input is empty")
    one_sentence(hanjul("import", str(tmp_path / "absent.json"), home=tmp_path), "The input cannot be read")
    one_sentence(hanjul("import", str(ROOT / "README.md"), home=tmp_path), "cannot be imported")
    broken = tmp_path / "broken.json"
    broken.write_text('{"상품": ')
    one_sentence(hanjul("import", str(broken), home=tmp_path), "not a table")
    lacking = tmp_path / "lacking.json"
    lacking.write_text('[{"상품": "커피", "카피라이팅": "한 줄"}]')
    one_sentence(hanjul("import", str(lacking), home=tmp_path), "There is no column values")
    one_sentence(hanjul("release", "--set", "train", home=tmp_path), "KEY=VALUE")
    one_sentence(hanjul("train", "hf://datasets/local/absent", home=tmp_path), "No such repository")
    one_sentence(hanjul("train", "hf://models/local/absent", home=tmp_path), "This is a model, not a dataset")
    one_sentence(hanjul("release", "--set", "train.epochs=[1", home=tmp_path), "not YAML")
    keyed = "synthesize.teacher.base_url=https://me:secret@host/v1"
    one_sentence(hanjul("release", "--set", keyed, home=tmp_path), "must hold no password")


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    one_sentence(hanjul("import", "starter", home=file), "folder that you can write")


def test_endpoint_that_is_down(tmp_path: Path) -> None:
    one_sentence(
        hanjul("import", "starter", home=tmp_path, HF_TOKEN="hf_x", HF_ENDPOINT="http://127.0.0.1:9"),
        "cannot be reached",
    )


def test_interrupt_is_one_sentence(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", "hub", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"HANJUL_HOME": str(tmp_path)},
    )
    assert child.stdout and "http://127.0.0.1:" in child.stdout.readline()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert "Traceback" not in errors
