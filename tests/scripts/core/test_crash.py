"""What people see of a bug, and what is left for us: four lines, a log file without keys, an exit code of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import HanjulError, LimitReachedError
from scripts.core import crash, endpoints, env
from scripts.core.settings import JudgeSettings
from tests.command import ROOT

KEY = "s3cr3t-of-mine-0123"
#: `hanjul` with a bug in the work of stage `import`: what numpy raises there, whose text holds a key.
PLANTED = """
import os
import numpy as np
import pipelines.rows

def make_row(*_, **__):
    try:
        np.zeros(2) + np.zeros(3)
    except ValueError as error:
        raise ValueError(f"{error} {os.environ['TEACHER_API_KEY']} https://host/x?sig=abc hf_{'a' * 34}") from error

pipelines.rows.make_row = make_row  # before any module takes it from there
from scripts.cli import main
main()
"""


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = home / "planted.py"
    program.write_text(PLANTED, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean | {"HANJUL_HOME": str(home), "HOME": str(home), "TEACHER_API_KEY": KEY, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )


def test_each_kind_of_known_error_has_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert crash.report_known(HanjulError("no"), debug=False) == 1
    assert crash.report_known(LimitReachedError("enough", "limit", "raise it"), debug=False) == 3
    assert capsys.readouterr().err == "error: no\nerror: enough\n  where: limit\n  next:  raise it\n"


def test_a_bug_is_four_lines_and_a_log_without_keys(tmp_path: Path) -> None:
    done = run(tmp_path, "import", "starter")
    assert done.returncode == 70
    assert done.stdout == ""
    what, where, log, step = done.stderr.splitlines()[-4:]
    assert what.startswith("unexpected error: ValueError: operands could not be broadcast together")
    [folder] = (tmp_path / "work").glob("import-*")
    assert where == f"  where: stage import, work folder {folder}"
    [path] = (tmp_path / "logs").iterdir()
    assert log == f"  log:   {path}"
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-import\.log", path.name)
    assert "report it" in step and "`hanjul --debug import starter`" in step
    assert "Traceback" not in done.stderr and "change the recipe" not in done.stderr
    text = path.read_text(encoding="utf-8")
    assert "command: hanjul import starter\n" in text
    assert re.search(r"^packages: .*torch \d", text, re.MULTILINE)
    assert "Traceback (most recent call last)" in text and "np.zeros(2) + np.zeros(3)" in text
    assert "direct cause" in text  # the whole chain
    for secret in (KEY, "sig=abc", "hf_aaa"):
        assert secret not in text + done.stderr


def test_debug_shows_the_traceback_of_a_bug_and_of_a_known_error(tmp_path: Path) -> None:
    bug = run(tmp_path, "--debug", "import", "starter")
    assert bug.returncode == 70
    assert "Traceback" in bug.stderr and "np.zeros(2) + np.zeros(3)" in bug.stderr and KEY not in bug.stderr
    assert bug.stderr.splitlines()[-4].startswith("unexpected error: ValueError: operands")
    known = run(tmp_path, "--debug", "import", str(tmp_path / "absent.json"))
    assert known.returncode == 1
    assert "Traceback" in known.stderr
    assert known.stderr.splitlines()[-3].startswith("error: The input cannot be read")
    assert len(list((tmp_path / "logs").iterdir())) == 1  # of the bug alone


def test_a_log_that_cannot_be_written_hides_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    (tmp_path / "logs").write_text("")
    assert crash.report_bug(KeyError("values"), "filter", debug=False) == 70
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "unexpected error: KeyError: 'values'"
    assert said[1] == f"  log:   none, {tmp_path / 'logs'} cannot be written: File exists"
    assert len(said) == 3


def test_the_newest_logs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    paths = [crash.write_log(KeyError(number), "filter") for number in range(crash.KEPT_LOGS + 3)]
    assert sorted((tmp_path / "logs").iterdir()) == paths[3:]


def test_a_message_of_many_lines_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    error = RuntimeError(f"{'long ' * 100}\nTraceback …")
    for note in ("stage train, work folder w", "another\nof two lines"):
        error.add_note(note)
    crash.report_bug(error, "train", debug=False)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and len(said[0]) <= crash.LONGEST + 40
    assert said[1] == "  where: stage train, work folder w; another"
    [log] = (tmp_path / "logs").iterdir()
    assert "of two lines" in log.read_text(encoding="utf-8")


def test_a_key_of_any_name_and_a_stored_token_are_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(env, "KEY_VARIABLES", set())
    monkeypatch.setenv("MINE", KEY)
    settings = JudgeSettings(base_url="https://host/v1", model="m", api_key_env="MINE")
    assert crash.redact(f"a {KEY}") == f"a {KEY}"
    assert endpoints.key_for(settings, "evaluate.judge", local_hub=True) == KEY
    assert crash.redact(f"a {KEY}") == "a …"
    (tmp_path / "token").write_text("stored-token\n")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
    assert crash.redact(json.dumps({"authorization": "Bearer stored-token"})) == '{"authorization": "Bearer …"}'


def test_a_known_error_says_only_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert crash.report_known(HanjulError("No"), debug=False) == 1
    assert capsys.readouterr().err == "error: No\n"
    crash.report_known(HanjulError("No", "here", "try"), debug=False)
    assert capsys.readouterr().err == "error: No\n  where: here\n  next:  try\n"


def test_no_part_of_a_key_is_shown_where_a_message_is_cut(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    monkeypatch.setenv("TEACHER_API_KEY", KEY)
    error = RuntimeError("x" * (crash.LONGEST - 8) + KEY + "\n\udcff")
    assert crash.report_bug(error, "import", debug=False) == crash.BUG
    assert KEY[:8] not in capsys.readouterr().err
    [log] = (tmp_path / "logs").iterdir()
    assert KEY[:8] not in log.read_text(encoding="utf-8")
