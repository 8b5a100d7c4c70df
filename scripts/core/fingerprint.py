"""What pins a result: the settings that it depends on, and the code that decides it.

A field of a settings class that does not change what a stage makes says so itself: `Annotated[int, NoEffect]`. All
others count, so that a new field counts unless somebody has thought about it.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

#: Packages whose code `code_digest` follows.
OURS = ("pipelines", "dataset_card", "model_card", "scripts")
ROOT = Path(__file__).parents[2]


class NoEffect:
    """Marks a field of a settings class that does not change the output of the stage that reads it.

    It says how to go about it (requests in flight, engine), or names what the stage's inputs pin (files, URIs).
    """


def output_settings(settings: BaseModel, section: type[BaseModel] | None = None) -> dict[str, Any]:
    """The settings that change a stage's output, at every depth, as JSON values: for a stage's fingerprint.

    What is null is left out, so that finished work is found again after a new, optional setting has come.

    Args:
        section: one of the classes that the settings inherit from; its fields alone are looked at.
    """
    found: dict[str, Any] = {}
    for name, field in (section or type(settings)).model_fields.items():
        value = getattr(settings, name)
        if value is not None and NoEffect not in field.metadata:
            found[name] = output_settings(value) if isinstance(value, BaseModel) else value
    return found


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 of the code of modules and of all modules of ours that they import, for results kept on this machine.

    Comments, docstrings and layout do not count. Any other change does, whether or not it changes a result. What is
    published is therefore pinned by a number that is raised by hand (`pipelines.filters`), and a test that says when.
    """
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in modules_behind(*modules).items()}
    codes = {name: ast.dump(_without_docstrings(tree)) for name, tree in trees.items()}
    return hashlib.sha256("\n".join(f"{name} {codes[name]}" for name in sorted(codes)).encode()).hexdigest()


def modules_behind(*modules: str) -> dict[str, Path]:
    """Modules and all modules of ours that they import, wherever they do: name -> file."""
    found: dict[str, Path] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name not in found and (path := _source(name)):
            found[name] = path
            pending += _imports(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _source(module: str) -> Path | None:
    """The file of one of our modules; None for other people's, and for names that are no module."""
    place = ROOT.joinpath(*module.split("."))
    files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((path for path in files if path.is_file()), None) if module.split(".")[0] in OURS else None


def _imports(tree: ast.Module) -> list[str]:
    """Full names of what a module imports, wherever it does; of `from a import b` both a and a.b."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return tree
