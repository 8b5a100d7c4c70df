"""What the page is told to run, by its file and by the environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from settings import read

FACTS: dict[str, Any] = {
    "adapter": "a/b",
    "revision": "0" * 40,
    "base_model": "c/d",
    "dataset": "",
    "prompt_format": "{product} {values}",
    "title": "한 줄",
    "examples": [],
    "gguf": {"repo": "a/b-gguf", "revision": "1" * 40, "file": "b.gguf", "base_file": "base.gguf"},
    "judge": "judge.npz",
    "feedback": "a/votes",
    "rating": {"adapter": 0.6, "base": 0.5},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_text(json.dumps(FACTS), encoding="utf-8")
    return tmp_path


def test_the_file_alone(folder: Path) -> None:
    settings = read(folder, {})
    assert vars(settings) == FACTS | {"engine": "auto"}
    assert not settings.rated_under_base


def test_what_an_older_file_does_not_say_is_off(tmp_path: Path) -> None:
    older = {name: FACTS[name] for name in list(FACTS)[:7]}
    (tmp_path / "settings.json").write_text(json.dumps(older), encoding="utf-8")
    settings = read(tmp_path, {})
    assert (settings.gguf, settings.judge, settings.feedback, settings.rating) == (None, "", "", None)


def test_another_adapter_has_nothing_of_the_first(folder: Path) -> None:
    settings = read(folder, {"HANJUL_ADAPTER": "x/y"})
    assert (settings.adapter, settings.revision, settings.gguf, settings.rating) == ("x/y", None, None, None)
    assert settings.base_model == "c/d"


def test_the_environment_wins(folder: Path) -> None:
    environment = {
        "HANJUL_REVISION": "main",
        "HANJUL_BASE_MODEL": "e/f",
        "HANJUL_GGUF": "x/y@main/sub/q4.gguf",
        "HANJUL_JUDGE": "",
        "HANJUL_FEEDBACK": "x/votes",
        "HANJUL_ENGINE": "llama",
    }
    settings = read(folder, environment)
    assert settings.gguf == {"repo": "x/y", "revision": "main", "file": "sub/q4.gguf", "base_file": None}
    assert (settings.revision, settings.base_model, settings.judge) == ("main", "e/f", "")
    assert (settings.feedback, settings.engine) == ("x/votes", "llama")
    assert read(folder, {"HANJUL_GGUF": ""}).gguf is None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HANJUL_ENGINE": "vllm"}, "HANJUL_ENGINE is 'vllm': give one of auto, llama, transformers"),
        ({"HANJUL_GGUF": "x/y"}, "HANJUL_GGUF is 'x/y': give repo@revision/file"),
        ({"HANJUL_GGUF": "x/y@main"}, "give repo@revision/file"),
    ],
)
def test_a_wrong_variable_is_named(folder: Path, environment: dict[str, str], said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        read(folder, environment)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "cannot be used"),
        ("[]", "cannot be used"),
        (json.dumps(FACTS | {"colour": 1}), "unknown settings: colour"),
        ('{"adapter": "a/b"}', "missing"),
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "settings.json").write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit, match=said):
        read(tmp_path, {})
