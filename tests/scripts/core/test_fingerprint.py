"""What pins a result: every setting but those that are marked, and the code that decides it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfUri
from pydantic import BaseModel

from scripts.core import fingerprint, settings
from scripts.core.fingerprint import NoEffect, code_digest, output_settings
from scripts.core.settings import EvaluateSettings, Recipe, Sampling
from scripts.hub.stage import Stage

#: Class -> its fields of which another value finds the work that is done. Whoever adds one has thought about it.
MARKED = {
    "ImportSettings": {"source", "terms", "feedback"},
    "TrainSettings": {"gpu_memory_gb", "processes", "tracking", "merge", "gguf"},
    "EndpointSettings": {"api_key_env"},
    "TeacherSettings": {"api_key_env"},
    "JudgeSettings": {"api_key_env", "price", "concurrency", "budget"},
    "BudgetSettings": {"timeout", "batch_poll"},
    "AskingSettings": {"concurrency"},
    "ProposeSettings": {"concurrency"},
    "SynthesizeSettings": {"concurrency", "engine", "examples_from"},
    "FilterSettings": {"engine", "slogans", "eval_lines"},
    "JudgesSettings": {"scorer", "votes"},
    "EvaluateSettings": {"scorer", "votes"},
    "SpaceSettings": {"minutes"},
}
#: Values for fields that have no default, and sections that are left out by default.
GIVEN: dict[str, Any] = {
    "PriceSettings": {"input": 1, "output": 2},
    "JudgeSettings": {"base_url": "http://127.0.0.1:1/v1", "model": "judge"},
    "SemanticSettings": {"model": "encoder"},
}
CLASSES = [
    found
    for found in vars(settings).values()
    if isinstance(found, type) and issubclass(found, BaseModel) and found is not BaseModel
]


def fields() -> Iterator[Any]:
    for cls in CLASSES:
        for name in cls.model_fields:
            yield pytest.param(cls, name, id=f"{cls.__name__}.{name}")


def stage_of(found: BaseModel) -> str:
    return Stage("toy", HfUri(type="dataset", id="local/toy"), {}, output_settings(found)).fingerprint()


def otherwise(value: Any) -> list[Any]:
    """Other values; of a section, itself with each field that counts changed."""
    if isinstance(value, BaseModel):
        counted = type(value).model_fields.keys() - MARKED.get(type(value).__name__, set())
        return [value.model_copy(update={name: other}) for name in counted for other in otherwise(getattr(value, name))]
    if isinstance(value, bool):
        return [not value]
    return [value + 1] if isinstance(value, int | float) else [f"{value} else"]


def test_fields_are_marked_on_purpose() -> None:
    marked = {
        cls.__name__: {name for name, field in cls.model_fields.items() if NoEffect in field.metadata}
        for cls in CLASSES
    }
    assert {name: names for name, names in marked.items() if names} == MARKED


@pytest.mark.parametrize(("cls", "name"), list(fields()))
def test_a_field_that_is_not_marked_makes_another_stage(cls: type[BaseModel], name: str) -> None:
    plain = cls(**GIVEN.get(cls.__name__, {}))
    others = otherwise(getattr(plain, name))
    assert others
    for other in others:
        same = stage_of(plain.model_copy(update={name: other})) == stage_of(plain)
        assert same == (name in MARKED.get(cls.__name__, set()))


def test_marked_fields_are_left_out_at_every_depth() -> None:
    judge = {**GIVEN["JudgeSettings"], "budget": {"max_usd": 1}, "price": {"input": 1, "output": 2}}
    recipe = Recipe.model_validate({"evaluate": {"judge": judge, "scorer": "hf://models/us/base"}})
    found = output_settings(recipe)
    assert set(found["evaluate"]["judge"]) == {
        *("base_url", "model", "samples", "temperature", "max_new_tokens", "duels")
    }
    assert "scorer" not in found["evaluate"]
    assert found["synthesize"]["budget"] == {"batch": False}
    assert found["seed"] == Recipe().seed


def test_a_new_setting_without_a_default_leaves_old_work_valid() -> None:
    class Grown(EvaluateSettings):
        new: str | None = None

    assert stage_of(Grown()) == stage_of(EvaluateSettings()) != stage_of(Grown(new="given"))


def test_a_section_of_the_settings() -> None:
    found = output_settings(EvaluateSettings(temperature=0.2), Sampling)
    assert found == {"temperature": 0.2, "top_p": 0.95, "max_new_tokens": 40}


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes modules of a package `toy`; gives the digest of `toy.one`."""
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    monkeypatch.setattr(fingerprint, "OURS", ("toy",))
    (tmp_path / "toy").mkdir()

    def write(**modules: str) -> str:
        for name, text in {"__init__": "", **modules}.items():
            (tmp_path / "toy" / f"{name}.py").write_text(text)
        code_digest.cache_clear()
        return code_digest("toy.one")

    yield write
    code_digest.cache_clear()


def test_code_is_pinned_with_what_it_imports_and_nothing_else(code: Any) -> None:
    one = "import os\nfrom toy.two import thing\n\n\ndef f():\n    return thing + 1\n"
    first = code(one=one, two="thing = 1\n", three="x = 1\n")
    assert code(one=one, three="x = 2\n") == first
    assert code(two="thing = 2\n") != first
    assert code(two="from toy import three\nthing = 1\n") != code(three="x = 3\n")
    assert code(one=one.replace("+ 1", "+ 2"), two="thing = 1\n") != first


def test_words_about_code_are_no_code(code: Any) -> None:
    first = code(one="def f(x):\n    return x + 1\n")
    assert code(one='"""A module."""\n\ndef f(x):\n    """Adds."""\n    return (x\n            + 1)  # one\n') == first
    assert code(one="def f(x):\n    return x + 1.0\n") != first


def test_modules_that_decide_kept_results_are_found() -> None:
    both = code_digest("pipelines.likelihood.scorer", "pipelines.likelihood.log_probabilities")
    assert len({both, code_digest("pipelines.likelihood.scorer"), code_digest("pipelines.likelihood.absent")}) == 3
