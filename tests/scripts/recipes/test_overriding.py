"""With another endpoint, what a recipe says of the old one is gone, unless it is said again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import HanjulError
from scripts import recipes
from scripts.core.settings import JudgeSettings, Recipe, TeacherSettings
from scripts.recipes.overriding import endpoints_of, overridden

pytestmark = pytest.mark.field

OLD, NEW = "https://api.openai.com/v1", "http://127.0.0.1:8000/v1"
PRICE = {"input": 1, "output": 2}
TEACHER = {"base_url": OLD, "model": "old", "api_key_env": "OLD_KEY", "identity": "known", "price": PRICE}
JUDGE = TEACHER | {"samples": 3, "temperature": 0.5, "max_new_tokens": 900, "duels": 50, "concurrency": 2}
CONTENT: dict[str, Any] = {
    "synthesize": {"teacher": TEACHER, "n": 5, "budget": {"batch": True, "max_usd": 3}},
    "pairs": {"propose": {"teacher": TEACHER, "budget": {"batch": True, "max_tokens": 9}}},
    "evaluate": {"judge": JUDGE | {"budget": {"max_usd": 4}}},
}


def test_every_place_of_an_endpoint_is_known() -> None:
    assert dict(endpoints_of(Recipe)) == {
        ("pairs", "propose", "teacher"): TeacherSettings,
        ("synthesize", "teacher"): TeacherSettings,
        ("evaluate", "judge"): JudgeSettings,
    }


def test_with_another_host_nothing_is_left_but_the_model_and_what_is_said_of_none() -> None:
    found = overridden(CONTENT, {"synthesize.teacher.base_url": NEW, "evaluate.judge.base_url": NEW})
    assert found["synthesize"] == {"teacher": {"base_url": NEW, "model": "old"}, "n": 5, "budget": {"max_usd": 3}}
    kept = ("samples", "temperature", "max_new_tokens", "duels", "concurrency")
    judge = {"base_url": NEW, "model": "old", "budget": {"max_usd": 4}}
    assert found["evaluate"]["judge"] == judge | {key: JUDGE[key] for key in kept}
    assert found["pairs"] == CONTENT["pairs"]
    proposing = overridden(CONTENT, {"pairs.propose.teacher.base_url": NEW})["pairs"]["propose"]
    assert proposing == {"teacher": {"base_url": NEW, "model": "old"}, "budget": {"max_tokens": 9}}


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_named_anew_counts_in_any_order(order: int) -> None:
    changes = {
        "synthesize.teacher.base_url": NEW,
        "synthesize.teacher.api_key_env": "NEW_KEY",
        "synthesize.teacher.price": {"input": 3, "output": 4},
        "synthesize.budget.batch": True,
    }
    found = overridden(CONTENT, dict([*changes.items()][::order]))["synthesize"]
    teacher = {"base_url": NEW, "model": "old", "api_key_env": "NEW_KEY", "price": {"input": 3, "output": 4}}
    assert found == {"teacher": teacher, "n": 5, "budget": {"max_usd": 3, "batch": True}}


def test_half_a_price_is_not_made_whole_by_the_old_one() -> None:
    changes = {"synthesize.teacher.base_url": NEW, "synthesize.teacher.price.input": 3}
    assert overridden(CONTENT, changes)["synthesize"]["teacher"]["price"] == {"input": 3}


def test_another_model_of_the_host_keeps_the_key_alone() -> None:
    found = overridden(CONTENT, {"synthesize.teacher.model": "new"})["synthesize"]
    assert found["teacher"] == {"base_url": OLD, "model": "new", "api_key_env": "OLD_KEY"}
    assert found["budget"]["batch"] is True


@pytest.mark.parametrize("url", [OLD, "https://api.openai.com:443/v1", "HTTPS://API.openai.com/v2/"])
def test_another_path_of_the_host_changes_nothing(url: str) -> None:
    found = overridden(CONTENT, {"synthesize.teacher.base_url": url})["synthesize"]
    assert found["teacher"] == TEACHER | {"base_url": url} and found["budget"]["batch"] is True


@pytest.mark.parametrize("url", ["http://api.openai.com/v1", "https://api.openai.com:444", None, "https://x:y/v1", 5])
def test_scheme_and_port_are_part_of_a_host_and_none_is_another(url: Any) -> None:
    found = overridden(CONTENT, {"synthesize.teacher.base_url": url})["synthesize"]["teacher"]
    assert found == {"base_url": url, "model": "old"}


@pytest.mark.parametrize("change", ["synthesize.teacher", "synthesize"])
def test_a_whole_section_stands_for_itself(change: str) -> None:
    teacher = {"base_url": NEW, "model": "new"}
    value = teacher if change.endswith("teacher") else {"teacher": teacher}
    found = overridden(CONTENT, {change: value})["synthesize"]
    assert found["teacher"] == teacher and "batch" not in found.get("budget", {})


def test_a_key_beside_no_address_is_for_nobody() -> None:
    template = {"synthesize": {"teacher": {"model": "old", "api_key_env": "OPENAI_API_KEY"}}}
    found = overridden(template, {"synthesize.teacher.base_url": "https://other.example/v1"})
    assert found["synthesize"]["teacher"] == {"base_url": "https://other.example/v1", "model": "old"}


@pytest.mark.parametrize("content", [{"synthesize": None}, {"synthesize": {"teacher": None}}, {"synthesize": []}, {}])
def test_sections_that_are_not_there(content: dict[str, Any]) -> None:
    found = overridden(content, {"synthesize.teacher.base_url": NEW, "evaluate.judge.model": "m"})
    assert found["synthesize"] == {"teacher": {"base_url": NEW}} and found["evaluate"] == {"judge": {"model": "m"}}


def test_the_content_itself_is_left_alone() -> None:
    before = yaml.safe_dump(CONTENT)
    overridden(CONTENT, {"synthesize.teacher.base_url": NEW, "synthesize.budget.batch": False})
    assert yaml.safe_dump(CONTENT) == before


def test_loading_a_recipe_for_another_host(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(CONTENT))
    found = recipes.load(str(path), {"synthesize.teacher.base_url": NEW})
    assert found.synthesize and found.synthesize.teacher == TeacherSettings(base_url=NEW, model="old")
    assert found.synthesize.budget.batch is False and found.synthesize.budget.max_usd == 3
    with pytest.raises(HanjulError, match="give the whole address") as raised:
        recipes.load(str(path), {"synthesize.teacher.base_url": "127.0.0.1:8000"})
    assert raised.value.where.endswith("synthesize.teacher.base_url")
