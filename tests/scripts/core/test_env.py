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
