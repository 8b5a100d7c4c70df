"""The wheel holds every file of the packages and no other, and an installed Hanjul packs the same one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from pipelines.errors import HanjulError
from scripts.jobs import wheel
from tests.command import ROOT

PACKAGES = ("pipelines", "dataset_card", "model_card", "scripts", "space")
#: Shown in the README alone.
LEFT_OUT = {f"space/screenshot{kind}.png" for kind in ("", "-dark", "-phone", "-phone-dark")}


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.make(tmp_path_factory.mktemp("built"))


def test_the_wheel_holds_every_file_of_the_packages(built: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *PACKAGES]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    packed = {name for name in contents(built) if ".dist-info/" not in name}
    assert packed == files - LEFT_OUT


def test_building_leaves_nothing_behind_and_is_the_same_again(built: Path, tmp_path: Path) -> None:
    before = {path.name for path in ROOT.iterdir()}
    again = wheel.make(tmp_path)
    assert again.read_bytes() == built.read_bytes()
    made = {path.name for path in ROOT.iterdir()} - before
    assert not [name for name in made if name == "build" or name.endswith(".egg-info")]


def test_a_checkout_that_cannot_be_built_says_why(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(HanjulError, match=r"The wheel cannot be built: .+") as caught:
        wheel.build(tmp_path, tmp_path)
    assert caught.value.where == str(tmp_path)


def test_an_installed_hanjul_packs_the_wheel_it_came_from(built: Path, tmp_path: Path) -> None:
    place = tmp_path / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([*install, str(built)], check=True)
    [info] = place.glob("*.dist-info")
    packed = wheel.pack(metadata.Distribution.at(info), tmp_path)
    assert packed.name == built.name
    ours, theirs = contents(packed), contents(built)
    record = f"{info.name}/RECORD"
    assert sorted(ours.pop(record).splitlines()) == sorted(theirs.pop(record).splitlines())
    assert ours == theirs
