"""The folder runs on every Python that ZeroGPU has, 3.10 the oldest: its syntax, and what it takes from the library."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.demo import checks, render
from tests.scripts.demo.pythons import python_of

OLDEST = python_of("3.10")
#: Prints what is missing of `module` or `module name` lines on stdin, by the interpreter that runs it.
MISSING = """
import importlib, sys
for line in sys.stdin.read().splitlines():
    module, _, name = line.partition(" ")
    try:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")
    except ImportError:
        print(line)
"""
#: Classes and functions that came later and are built in, so that no import names them.
LATER = {"ExceptionGroup", "BaseExceptionGroup"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All modules of a rendered folder."""
    out = tmp_path_factory.mktemp("page")
    for name in render.page_files():
        if name.endswith(".py"):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes((render.FOLDER / name).read_bytes())
    checks.write_checks(out)
    return out


def from_library(tree: ast.Module) -> Iterator[str]:
    """What a module takes from the standard library: `module` or `module name`; also `module.name` in the code."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in sys.stdlib_module_names:
                    aliases[alias.asname or alias.name] = alias.name
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in sys.stdlib_module_names:
            yield from (f"{node.module} {alias.name}" for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield f"{aliases[node.value.id]} {node.attr}"


def test_its_syntax_is_that_of_python_310(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 10))


def test_nothing_built_in_later_is_used(folder: Path) -> None:
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & LATER, path.name


@pytest.mark.skipif(OLDEST is None, reason="no Python 3.10 on this machine")
def test_python_310_compiles_it_and_has_what_it_takes_from_the_library(folder: Path) -> None:
    done = subprocess.run([str(OLDEST), "-m", "compileall", "-q", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wanted = {
        line: path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        for line in from_library(ast.parse(path.read_text(encoding="utf-8")))
    }
    asked = subprocess.run(
        [str(OLDEST), "-c", MISSING], input="\n".join(wanted), capture_output=True, text=True, check=True
    )
    assert {line: wanted[line] for line in asked.stdout.splitlines()} == {}


@pytest.mark.skipif(OLDEST is None, reason="no Python 3.10 on this machine")
def test_what_came_later_is_found() -> None:
    code = "import tomllib, datetime, os; from enum import StrEnum; from typing import Self; os.path; datetime.UTC"
    lines = list(from_library(ast.parse(code)))
    asked = subprocess.run(
        [str(OLDEST), "-c", MISSING], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    assert asked.stdout.splitlines() == ["tomllib", "enum StrEnum", "typing Self", "datetime UTC"]
