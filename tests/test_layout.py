"""The house rules that a linter does not know: sizes of folders, where tests live, where imports stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pipelines", "dataset_card", "model_card", "scripts", "space")
#: Modules of a folder beside its `__init__`: more than these no listing explains.
MOST = 16
#: Rooms of the tests that are of no source folder.
OWN_ROOMS = ("bench", "docs", "e2e", "tiny")
#: Modules that import ours inside functions, and why.
LAZY = {
    "scripts/cli.py": "`hanjul --help` answers at once",
    "scripts/hub/session.py": "huggingface_hub reads the environment when it is imported",
    "scripts/training/worker.py": "TRL's trainers take seconds, and a finished release trains nothing",
}
FOLDERS = sorted(
    folder
    for package in PACKAGES
    for folder in [ROOT / package, *(ROOT / package).rglob("*")]
    if folder.is_dir() and any(folder.glob("*.py"))
)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST, f"{named(folder)} holds {len(modules)} modules: give some of them a room of their own"


def test_tests_stand_where_their_source_does() -> None:
    rooms = {named(folder) for folder in FOLDERS}
    misplaced = [
        named(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if (room := path.parent.relative_to(ROOT / "tests").as_posix()) not in rooms | {"."}
        and not room.startswith(OWN_ROOMS)
    ]
    assert misplaced == []


def own_imports(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            yield node.module


def test_our_own_modules_are_imported_at_the_top() -> None:
    hidden = {
        f"{named(path)}: {module}"
        for folder in FOLDERS
        for path in folder.glob("*.py")
        if named(path) not in LAZY
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for module in own_imports(node)
    }
    assert hidden == set()
