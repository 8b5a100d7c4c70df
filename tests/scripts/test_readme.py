"""Documentation is tested: every command in the READMEs parses, every command is in them, every module is listed."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.core
import typer.main

from scripts.cli import app

ROOT = Path(__file__).parent.parent.parent
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]


def commands(readme: Path) -> list[list[str]]:
    """Words of every `hanjul …` line in a bash block."""
    blocks = re.findall(r"```bash\n(.*?)```", readme.read_text(encoding="utf-8"), flags=re.S)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
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


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_command_shown_parses(readme: Path) -> None:
    shown = commands(readme)
    assert len(shown) > 5
    for words in shown:
        if words != ["--help"]:
            assert parse(words), words


def test_unknown_option_does_not_parse() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["release", "--nonsense"])


def test_every_command_is_shown() -> None:
    shown = {tuple(parse(words)) for words in commands(ROOT / "README.md") if words != ["--help"]}
    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for name, command in root.commands.items():
        inner = command.commands if isinstance(command, typer.core.TyperGroup) else {}
        for path in [(name, sub) for sub in inner] or [(name,)]:
            assert path in shown, path


def test_make_targets_shown_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for readme in READMES:
        for target in re.findall(r"make ([a-z]+)", readme.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, flags=re.M), target


def test_architecture_lists_every_module() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = ("pipelines", "dataset_card", "model_card", "space", "scripts")
    for folder in folders:
        for path in (ROOT / folder).glob("*.py"):
            if path.name != "__init__.py":
                assert path.name in text, f"{folder}/{path.name} is not in the architecture section"


def test_the_pipeline_of_others_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", READMES[0].read_text("utf-8"), re.S)
    (code,) = (block for block in blocks if "CheckRules" in block)
    (tmp_path / "theirs.py").write_text(code, encoding="utf-8")
    for _ in range(2):  # the second time distilabel reads the steps from what it wrote down of them
        done = subprocess.run([sys.executable, "theirs.py"], capture_output=True, text=True, cwd=tmp_path, check=True)
    row = ast.literal_eval(done.stdout.splitlines()[-1])
    assert (row["ad_copy"], row["reason"]) == ("장마에도 수건은 햇볕 냄새", "")
    assert row["group_id"] and row["product"] == "제습기"
