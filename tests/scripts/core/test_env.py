"""Where things live, whatever folder a command or its child processes run in."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core import env, installed


def test_a_relative_data_folder_is_meant_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANJUL_HOME", "data")
    assert env.data_dir() == tmp_path / "data"


def test_an_installed_wheel_has_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its site-packages may lie in the working tree of another project."""
    assert env.is_checkout()
    inside = Path(installed.__file__).parent
    monkeypatch.setattr(env, "ROOT", inside)
    assert not env.is_checkout()
    assert installed.git_commit() is None


def test_secrets_are_known_though_the_stored_token_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever tells of that error leaves secrets out, and must not fail at it again."""
    stored = tmp_path / "token"
    stored.write_bytes(b"\xff\xfe")
    monkeypatch.delenv("HF_TOKEN", raising=False)  # of the session's Hub
    monkeypatch.setenv("HF_TOKEN_PATH", str(stored))
    monkeypatch.setenv("TEACHER_API_KEY", "s3cr3t-of-mine")
    with pytest.raises(UnicodeDecodeError):
        env.has_token()
    assert "s3cr3t-of-mine" in env.secrets()
