"""What the doctor prescribes for a missing package: where it was installed from decides."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from scripts import doctor
from scripts.core import env


def missing(monkeypatch: pytest.MonkeyPatch, *names: str) -> dict[str, str]:
    """Package -> the command that installs it, when these are not there."""
    known = metadata.version

    def version(name: str) -> str:
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    return {check.what.split()[0]: check.mend for check in doctor._packages() if check.mend}


def test_the_folders_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANJUL_HOME", str(tmp_path))
    found = {check.what: check.found for check in doctor._machine()}
    assert found["data folder"] == str(tmp_path)
    assert found["work folder"].startswith(f"{tmp_path / 'work'}: ")
    assert found["logs folder"].startswith(f"{tmp_path / 'logs'}: ")


def test_a_missing_package_comes_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing(monkeypatch) == {}
    deepeval = "pip install --no-deps 'deepeval>=4.3'"
    assert missing(monkeypatch, "peft", "deepeval") == {
        "peft": "pip install -c constraints.txt peft",
        "deepeval": deepeval,
    }
    monkeypatch.setattr(env, "is_checkout", lambda: False)  # a wheel comes without constraints.txt
    assert missing(monkeypatch, "peft", "deepeval") == {"peft": "pip install peft", "deepeval": deepeval}
