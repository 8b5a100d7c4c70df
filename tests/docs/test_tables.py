"""Tables of the documentation beside what they are about: reasons, recipes, the data folder."""

from __future__ import annotations

import re

import yaml

from pipelines.filters.filter_rows import REASONS
from scripts import recipes
from tests.docs.markdown import text


def rows(document: str) -> list[list[str]]:
    """Cells of each row of a document's tables, heads and rulers included."""
    return [line.strip("| ").split(" | ") for line in text(document).splitlines() if line.startswith("| ")]


def test_every_rejection_reason_is_explained() -> None:
    explained = [cells[0].strip("`") for cells in rows("pipelines/filters/README.md")]
    assert sorted(explained[1:]) == sorted(REASONS)


def test_every_training_recipe_is_in_the_table_with_its_base_and_memory() -> None:
    described = {
        name: cells for cells in rows("scripts/training/README.md") for name in re.findall(r"train/[\w.-]+", cells[0])
    }
    shipped = {name for name in recipes.shipped() if name.startswith("train/")}
    assert set(described) == shipped
    for name in shipped:
        train = yaml.safe_load((recipes.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))["train"]
        _, base, _, memory = described[name]
        assert train["base_model"].removeprefix("Qwen/Qwen3") in base, name
        assert str(train["gpu_memory_gb"]) in re.findall(r"\d+", memory), name
