"""Recipes: defaults, overrides, and errors that name the place and the nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_card.cards.licences import may_publish
from pipelines.errors import HanjulError
from scripts import recipes
from scripts.core.settings import Recipe, TrainSettings


@pytest.mark.parametrize("name", recipes.shipped())
def test_shipped_recipes_load_by_name(name: str) -> None:
    assert recipes.load(name).version.startswith("v")


@pytest.mark.parametrize("name", [name for name in recipes.shipped() if name.startswith("train/")])
def test_training_recipes_name_base_licence_and_memory(name: str) -> None:
    settings = recipes.load(name).train
    assert name == f"train/{settings.repo.removeprefix('hanjul-').removesuffix('-lora')}"
    assert settings.base_model.split("/")[1].lower().replace("_", "-") == name.removeprefix("train/").removeprefix(
        "judge-"
    )
    assert may_publish(settings.licence)
    assert settings.gpu_memory_gb and settings.gpu_memory_gb <= 24


def test_full_is_the_offline_release_on_all_flat_lines() -> None:
    offline, full = recipes.load("offline"), recipes.load("full")
    assert offline.train.rows and full.train.rows is None
    whole = offline.train.model_copy(update={"rows": None, "epochs": full.train.epochs, "keep": "last"})
    assert full == offline.model_copy(update={"version": full.version, "train": whole})
    assert full.version > offline.version


def test_flags_win_over_the_file_and_leave_the_rest() -> None:
    plain = recipes.load("offline")
    changed = recipes.load("offline", {"train.epochs": 1, "synthesize.teacher.model": "m"})
    assert changed.train.epochs == 1
    assert changed.synthesize and changed.synthesize.teacher.model == "m"
    assert changed.train.repo == plain.train.repo


def test_defaults_stand_in_the_settings_class_alone(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert recipes.load(str(path)) == Recipe()
    assert recipes.load(str(path)).train == TrainSettings()


@pytest.mark.parametrize(
    ("text", "what", "where", "next_step"),
    [
        ("train:\n  epoch: 3\n", "Unknown key", "train.epoch", "`epochs`"),
        ("pairs:\n  propose:\n    teacher:\n      url: x\n", "Unknown key", "teacher.url", "`base_url`"),
        ("trains:\n  epochs: 3\n", "Unknown key", "trains", "`train`"),
        ("train:\n  epochs: -1\n", "does not fit", "train.epochs", "change"),
        ("version: 1.0\n", "does not fit", "version", "change"),
        ("train: [\n", "not YAML", ":2", "offline.yaml"),
        ("- a\n", "not a mapping", "bad.yaml", "offline.yaml"),
    ],
)
def test_bad_recipes_say_what_where_and_what_next(
    tmp_path: Path, text: str, what: str, where: str, next_step: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(HanjulError) as caught:
        recipes.load(str(path))
    assert what in caught.value.what
    assert where in caught.value.where
    assert next_step in caught.value.next_step


def test_unreadable_recipe(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"title: \xff\xfe\n")
    with pytest.raises(HanjulError, match="cannot be read"):
        recipes.load(str(path))


def test_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(HanjulError, match="offline"):
        recipes.load("nope")
