"""Recipe, `--set` and flags of every command: each wins over the one before, and a flag that is not given is silent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any
from unittest.mock import MagicMock

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

from scripts import cli, recipes
from scripts.core.settings import Recipe
from scripts.exporting import exports
from scripts.hub import inputs
from scripts.models import models
from scripts.stages import calibrate, evaluate, filter, import_rows, pairs, release, synthesize, train
from scripts.teaching import limits

DATASET, MODEL = "hf://datasets/us/copy", "hf://models/us/lora"
STAGES = (calibrate, evaluate, filter, import_rows, pairs, release, synthesize, train)

#: command line -> key of the recipe, value by --set, the flag, its value.
FLAGS = [
    ("release", "import.source", "set.json", "--input flag.json", "flag.json"),
    ("import rows.json", "import.limit", 5, "--limit 7", 7),
    ("pairs", "pairs.n", 5, "--n 7", 7),
    (f"synthesize {DATASET}", "synthesize.n", 5, "--n 7", 7),
    (f"synthesize {DATASET}", "synthesize.examples_from", "set.json", "--examples flag.json", "flag.json"),
    (f"synthesize {DATASET}", "synthesize.engine", "local", "--engine ray", "ray"),
    (f"synthesize {DATASET}", "synthesize.budget.max_usd", 5.0, "--max-usd 7", 7.0),
    (f"synthesize {DATASET}", "synthesize.budget.batch", False, "--batch", True),
    (f"filter {DATASET}", "filter.judge", "sense", "--judge none", "none"),
    (f"filter {DATASET}", "filter.engine", "local", "--engine ray", "ray"),
    (f"train {DATASET} --set train.method=dpo", "train.start", f"{MODEL}-set", f"--start {MODEL}", MODEL),
    (f"train {DATASET}", "train.merge", False, "--merge", True),
    (f"train {DATASET}", "train.gguf", False, "--gguf", True),
    (f"evaluate {MODEL} --dataset {DATASET}", "evaluate.scorer", f"{MODEL}-set", f"--scorer {MODEL}", MODEL),
    (f"evaluate {MODEL} --dataset {DATASET}", "evaluate.votes", f"{DATASET}-set", f"--votes {DATASET}", DATASET),
    (f"calibrate {DATASET}", "evaluate.scorer", f"{MODEL}-set", f"--scorer {MODEL}", MODEL),
    (f"calibrate {DATASET}", "evaluate.votes", f"{DATASET}-set", f"--votes {DATASET}", DATASET),
    (f"calibrate {DATASET}", "calibrate.repo", "set", "--repo flag", "flag"),
]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with a Hub and stages that do nothing; gives what of the recipe its stage was given."""
    calls: list[BaseModel] = []

    @contextmanager
    def session(recipe: Recipe | None = None) -> Any:
        hub = MagicMock()
        hub.is_local = False
        yield hub

    def stage(*args: Any, **kwargs: Any) -> Any:
        calls.extend(one for one in [*args, *kwargs.values()] if isinstance(one, BaseModel))
        return MagicMock()

    monkeypatch.setattr(cli, "hub_session", session)
    monkeypatch.setattr(cli, "emit", lambda hub, uri: None)
    monkeypatch.setattr(models, "scorer_of", lambda *args: MagicMock())
    monkeypatch.setattr(exports, "run", lambda *args: {})
    monkeypatch.setattr(limits, "raise_if_reached", lambda *args: None)
    monkeypatch.setattr(inputs, "pinned", lambda *args, **kwargs: MagicMock())
    for module in STAGES:
        monkeypatch.setattr(module, "run", stage)

    def run(line: str) -> BaseModel:
        calls.clear()
        result = CliRunner().invoke(cli.app, line.split(), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        [found] = calls
        return found

    return run


def value(found: BaseModel, key: str) -> Any:
    """A setting by its key, of a recipe or of the section that a stage was given."""
    for part in key.split(".") if isinstance(found, Recipe) else key.split(".")[1:]:
        found = getattr(found, "import_" if part == "import" else part)
    return found


@pytest.mark.parametrize(("line", "key", "by_set", "flag", "by_flag"), FLAGS)
def test_a_flag_wins_and_is_silent_where_it_is_not_given(
    given: Any, line: str, key: str, by_set: Any, flag: str, by_flag: Any
) -> None:
    assert value(given(f"{line} --set {key}={by_set}"), key) == by_set
    assert value(given(f"{line} --set {key}={by_set} {flag}"), key) == by_flag
    assert value(given(f"{line} {flag}"), key) == by_flag


def test_import_takes_all_rows_unless_a_recipe_says_otherwise(given: Any) -> None:
    assert value(given("import rows.json"), "import.limit") is None
    assert value(given("import rows.json --recipe imported"), "import.limit") == recipes.load("imported").import_.limit
    assert value(given("import rows.json --recipe imported --set import.limit=null"), "import.limit") is None


def test_every_flag_of_a_recipe_says_what_it_is() -> None:
    for name, command in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        for parameter in command.params:
            if parameter.name in ("recipe", "changes"):
                assert parameter.help, f"{name} {parameter.name}"


def test_no_option_of_a_command_with_a_recipe_has_a_default_of_its_own() -> None:
    commands = dict(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]
    commands |= {f"space {name}": command for name, command in commands["space"].commands.items()}
    seen = set()
    for name, command in commands.items():
        options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
        if any("--set" in parameter.opts for parameter in options):
            seen.add(name)
            of_recipe = {parameter.name for parameter in options} - {
                "recipe",
                "changes",
                "dry_run",
                "on",
            }  # no settings
            assert {one.name: one.default for one in options if one.name in of_recipe and one.default is not None} == {}
    assert seen == {line.split()[0] for line, *_ in FLAGS} | {"space deploy"}
