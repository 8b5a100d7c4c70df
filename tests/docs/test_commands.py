"""Documentation is tested: commands parse, code runs, links and paths lead somewhere, and no command is left out."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer.core
import typer.main

from scripts.cli import app
from tests.docs.markdown import ROOT, anchors, blocks, documents, prose, text
from tests.model_card.judging.judge_server import judging
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

README, KOREAN = "README.md", "README.ko.md"
DOCUMENTS = documents()
OURS = ("pipelines", "dataset_card", "model_card", "scripts")
#: A path of this repository in the text, e.g. `scripts/cli.py`; one with NAME in it is for the reader to make.
PATH = r"`((?:pipelines|dataset_card|model_card|space|scripts|tests|\.github|\.ci)/[\w./-]*)`"


def commands(document: str) -> list[list[str]]:
    """Words of every `hanjul …` line in a bash block."""
    lines = [shlex.split(line, comments=True) for block in blocks(document, "bash") for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0].endswith("hanjul")]


def parse(words: list[str]) -> list[str]:
    """Parse without running; the names of the commands on the way. Raises a usage error on anything unknown."""
    command, context, names = typer.main.get_command(app), None, []
    rest = words
    while True:
        context = command.make_context(command.name or "hanjul", list(rest), parent=context)
        if not isinstance(command, typer.core.TyperGroup):
            return names
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        names.append(name)


def commands_of(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names that lead to each command that is no group."""
    if not isinstance(command, typer.core.TyperGroup):
        yield path
        return
    for name, inner in command.commands.items():
        yield from commands_of(inner, (*path, name))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_shown_parses(document: str) -> None:
    for words in commands(document):
        if words != ["--help"]:
            assert parse(words), words


def test_commands_are_found() -> None:
    assert len(commands(README)) > 15 and len(commands(KOREAN)) > 5
    assert ["pairs", "--n", "200"] in commands(README)


def test_unknown_option_does_not_parse() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["release", "--nonsense"])


def test_every_command_is_shown() -> None:
    shown = {tuple(parse(words)) for words in commands(README) if words != ["--help"]}
    missing = set(commands_of(typer.main.get_command(app))) - shown
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_shown_exist(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    code = "\n".join([*blocks(document, "bash"), *re.findall(r"`([^`\n]+)`", prose(document))])
    for target in re.findall(r"^make ([a-z]+)", code, flags=re.M):
        assert re.search(rf"^{target}:", makefile, flags=re.M), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_run_exist(document: str) -> None:
    for module in re.findall(r"python -m ((?:tests|scripts|pipelines)[a-z_.]*)\b", text(document)):
        assert find_spec(module), module


@pytest.mark.parametrize("document", DOCUMENTS)
def test_tests_shown_exist(document: str) -> None:
    for block in blocks(document, "bash"):
        for path, word in re.findall(r"pytest (tests/\S+)(?: -k (\w+))?", block):
            names = re.findall(r"^def (test_\w+)", (ROOT / path).read_text(encoding="utf-8"), flags=re.M)
            assert any(word in name for name in names), (path, word)


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])  # it tells of the past
def test_paths_shown_exist(document: str) -> None:
    for path in re.findall(PATH, prose(document)):
        assert "NAME" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(str(linked.resolve().relative_to(ROOT.resolve()))), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_python_shown_imports_what_exists(document: str) -> None:
    for block in blocks(document, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
                module = importlib.import_module(node.module)
                for name in node.names:
                    assert hasattr(module, name.name) or find_spec(f"{node.module}.{name.name}"), ast.unparse(node)


def shown(document: str, word: str) -> str:
    """The Python block of a document that has a word in it."""
    (code,) = (block for block in blocks(document, "python") if word in block)
    return code


def test_the_pipeline_of_others_runs(tmp_path: Path) -> None:
    code = shown("pipelines/filters/README.md", "CheckRules")
    (tmp_path / "theirs.py").write_text(code, encoding="utf-8")
    for _ in range(2):  # the second time distilabel reads the steps from what it wrote down of them
        done = subprocess.run([sys.executable, "theirs.py"], capture_output=True, text=True, cwd=tmp_path, check=True)
    row = ast.literal_eval(done.stdout.splitlines()[-1])
    assert (row["ad_copy"], row["reason"]) == ("장마에도 수건은 햇볕 냄새", "")
    assert row["group_id"] and row["product"] == "제습기"


def test_the_deepeval_test_of_others_runs(tmp_path: Path) -> None:
    code = shown("model_card/judging/README.md", "assert_test")
    with judging(lambda prompt: {5: 1.0}) as pleased, judging(lambda prompt: {1: 1.0}) as displeased:
        for name, endpoint in (("pleased", pleased), ("displeased", displeased)):
            theirs = code.replace("https://api.openai.com/v1", endpoint.url).replace("gpt-4o", MODEL)
            (tmp_path / f"test_{name}.py").write_text(
                theirs.replace("answers.sqlite", f"{name}.sqlite"), encoding="utf-8"
            )
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:deepeval"]
        environment = os.environ | {"OPENAI_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
    assert "FAILED test_displeased.py" in done.stdout
