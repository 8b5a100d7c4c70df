"""The lock files: whole, as the builder of a Space needs them, and as the resolver would make them again."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from pipelines.errors import HanjulError
from scripts.demo import checks, render, requirements
from scripts.demo.requirements import BUILDER, ENGINES, PAGE, canonical, lock_of, pins, resolve
from tests.scripts.demo.pythons import python_of

PYTHON_312 = python_of("3.12")
#: Module -> package, where the names differ.
PACKAGES = {"sklearn": "scikit-learn", "stdnum": "python-stdnum", "yaml": "pyyaml"}


@pytest.mark.parametrize("name", ENGINES)
def test_a_lock_pins_what_page_and_builder_ask_for(name: str) -> None:
    locked = pins(lock_of(name))
    for wanted in map(Requirement, [*BUILDER, *PAGE, *ENGINES[name]]):
        assert Version(locked[canonical(wanted.name)]) in wanted.specifier, wanted
    # what gradio[mcp] wants, which is older than what runs elsewhere
    assert Version(locked["mcp"]) < Version("2") and Version(locked["pydantic"]) <= Version("2.12.5")


@pytest.mark.parametrize("name", ENGINES)
def test_a_lock_holds_nothing_but_pins(name: str) -> None:
    lines = lock_of(name).read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("# ") or re.fullmatch(r"[a-z0-9-]+==[a-z0-9.!]+", line), line
        assert "://" not in line
    assert lines[3:] == sorted(lines[3:], key=lambda line: line.partition("==")[0])


def test_each_place_has_its_engine_alone() -> None:
    assert not {"torch", "transformers", "peft"} & pins(lock_of("llama")).keys()
    assert "xllamacpp" not in pins(lock_of("zero")) | pins(lock_of("torch"))
    assert Version(pins(lock_of("zero"))["torch"]) < Version("2.12")  # the newest that ZeroGPU runs is 2.11


def test_versions_are_those_that_run_together_elsewhere() -> None:
    known = pins(requirements.ROOT / "constraints.txt")
    for name in ENGINES:
        other = {
            package: (version, known[package])
            for package, version in pins(lock_of(name)).items()
            if package in known and version != known[package]
        }
        assert other.keys() <= set(requirements.ELSEWHERE), other


def test_requirements_that_contradict_each_other_are_one_sentence(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("numpy==1\nnumpy==2\n", encoding="utf-8")
    with pytest.raises(HanjulError, match="no versions that go together"):
        resolve(str(PYTHON_312 or "python3"), ["-r", str(tmp_path / "a.txt")])
    with pytest.raises(HanjulError, match="no such Python"):
        resolve("python-of-nobody", ["numpy"])


@pytest.mark.slow
@pytest.mark.skipif(PYTHON_312 is None, reason="no Python 3.12 on this machine")
@pytest.mark.parametrize("name", ENGINES)
def test_the_builder_of_a_space_installs_the_lock_and_nothing_else(name: str) -> None:
    """The builder's own command, as its logs have it, in a dry run."""
    gradio = f"gradio[oauth,mcp]=={requirements.gradio_version()}"
    version, chosen = resolve(str(PYTHON_312), ["-r", str(lock_of(name)), gradio, *BUILDER[1:]])
    assert version == "3.12"
    assert chosen == pins(lock_of(name))


@pytest.mark.parametrize("name", ENGINES)
def test_a_lock_has_all_that_the_folder_imports(name: str, tmp_path: Path) -> None:
    """But the engines of other places, and what wordings and judges are fitted with: both come fitted."""
    checks.write_checks(tmp_path)
    sources = [*(render.FOLDER / file for file in render.page_files() if file.endswith(".py")), *tmp_path.rglob("*.py")]
    ours = {path.stem for path in sources} | {path.parent.name for path in sources}
    imported = {module.split(".")[0] for path in sources for module in imports_of(path)}
    wanted = {canonical(PACKAGES.get(module, module)) for module in imported - ours - sys.stdlib_module_names}
    elsewhere = {"torch", "transformers", "peft", "xllamacpp", "scikit-learn", "scipy"}
    assert wanted - elsewhere <= pins(lock_of(name)).keys()


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
