"""An endpoint of a recipe made ready to use: all its settings arrive, its key nowhere but at the endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.endpoint.budget import Caps
from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.prices import Price
from pipelines.errors import HanjulError
from scripts.core import endpoints
from scripts.core.settings import JudgeSettings, SynthesizeSettings
from scripts.teaching.teachers import TeacherEndpoint

URL = "https://writer.example/v1"
BUDGET = {"max_requests": 3, "max_tokens": 400, "max_usd": 5.5, "timeout": 2.5}
MODEL = {"base_url": URL, "model": "writer", "price": {"input": 1, "output": 2}}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("scripts.core.env.answers_path", lambda: tmp_path / "answers.sqlite")
    return tmp_path / "answers.sqlite"


@pytest.mark.parametrize(("batch", "poll", "price"), [(False, None, Price(1, 2)), (True, 7, Price(0.5, 1))])
def test_every_setting_of_a_teacher_is_among_the_options(
    store: Path, batch: bool, poll: int | None, price: Price
) -> None:
    settings = SynthesizeSettings.model_validate(
        {"teacher": MODEL, "concurrency": 9, "budget": BUDGET | {"batch": batch, "batch_poll": 7}}
    )
    options = endpoints.options_of(settings, "x.teacher", base_url=URL, model="writer", identity="who", run_id="run")
    assert options == EndpointOptions(URL, "writer", "who", store, "run", 9, 2.5, Caps(3, 400, 5.5), price, 1, poll)


def test_every_setting_of_a_judge_is_among_the_options(store: Path) -> None:
    settings = JudgeSettings.model_validate({**MODEL, "concurrency": 9, "budget": BUDGET})
    options = endpoints.options_of(settings, "x.judge", base_url=URL, model="writer", identity="who", run_id="run")
    assert options == EndpointOptions(URL, "writer", "who", store, "run", 9, 2.5, Caps(3, 400, 5.5), Price(1, 2))


def test_a_limit_in_money_needs_a_price(store: Path) -> None:
    settings = SynthesizeSettings.model_validate({"teacher": MODEL | {"price": None}, "budget": {"max_usd": 1}})
    with pytest.raises(HanjulError, match="No price is known for writer") as raised:
        endpoints.options_of(settings, "x.teacher", base_url=URL, model="writer", identity="who", run_id="run")
    assert raised.value.where == "x.teacher.price"


def test_a_key_is_not_shown_with_its_endpoint() -> None:
    assert "sk-secret" not in repr(TeacherEndpoint(URL, "writer", "sk-secret", "writer", "who", tuned=False))
