"""An endpoint of a recipe made ready to use: all its settings arrive, its key nowhere but at the endpoint."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.endpoint.failures import EndpointGoneError
from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.session import Session
from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.spending.prices import Price
from pipelines.errors import HanjulError
from scripts import recipes
from scripts.core import endpoints
from scripts.core.settings import EndpointSettings, JudgeSettings, SynthesizeSettings
from scripts.teaching.teachers import TeacherEndpoint
from tests.pipelines.endpoint.teacher_server import KEY, Log, Raw, serve
from tests.pipelines.endpoint.teacher_server import MODEL as SERVED
from tests.pipelines.endpoint.teachers import options_for

URL = "https://writer.example/v1"
BUDGET = {"max_requests": 3, "max_tokens": 400, "max_usd": 5.5, "timeout": 2.5}
MODEL = {"base_url": URL, "model": "writer", "api_key_env": "MINE", "price": {"input": 1, "output": 2}}


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
    assert options == EndpointOptions(
        URL, "writer", "who", store, "run", 9, 2.5, Caps(3, 400, 5.5), price, 1, poll, "x.teacher", "MINE"
    )


def test_every_setting_of_a_judge_is_among_the_options(store: Path) -> None:
    settings = JudgeSettings.model_validate({**MODEL, "api_key_env": "none", "concurrency": 9, "budget": BUDGET})
    options = endpoints.options_of(settings, "x.judge", base_url=URL, model="writer", identity="who", run_id="run")
    assert options == EndpointOptions(
        URL, "writer", "who", store, "run", 9, 2.5, Caps(3, 400, 5.5), Price(1, 2), place="x.judge"
    )


def test_a_limit_in_money_needs_a_price(store: Path) -> None:
    settings = SynthesizeSettings.model_validate({"teacher": MODEL | {"price": None}, "budget": {"max_usd": 1}})
    with pytest.raises(HanjulError, match="No price is known for writer") as raised:
        endpoints.options_of(settings, "x.teacher", base_url=URL, model="writer", identity="who", run_id="run")
    assert raised.value.where == "x.teacher.price"


def test_a_key_is_not_shown_with_its_endpoint() -> None:
    assert "sk-secret" not in repr(TeacherEndpoint(URL, "writer", "sk-secret", "writer", "who", tuned=False))


SECRETS = {
    "OPENAI_API_KEY": "sk-of-openai-alone",
    "OPENAI_ADMIN_KEY": "sk-admin-of-openai",
    "OPENAI_ORG_ID": "org-of-openai",
    "OPENAI_PROJECT_ID": "proj-of-openai",
    "OPENAI_CUSTOM_HEADERS": "X-Gateway: of-openai\nAuthorization: Bearer of-openai",
}
BODY = {"model": SERVED, "messages": [{"role": "user", "content": "줄"}], "max_tokens": 5}


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def shown_to(log: Log) -> str:
    return "\n".join(f"{name}: {value}" for headers in log.headers for name, value in headers.items())


@pytest.mark.field
@pytest.mark.usefixtures("exported")
def test_another_host_never_sees_the_key_that_the_recipe_names(tmp_path: Path) -> None:
    with serve(lambda body, number: "줄") as other:
        changes = {"synthesize.teacher.base_url": other.url, "synthesize.teacher.model": SERVED}
        recipe = recipes.load("endpoint", changes)
        assert recipe.synthesize
        key = endpoints.key_for(recipe.synthesize.teacher, "synthesize.teacher", local_hub=True)
        with Session(options_for(other.url, tmp_path), key) as session, pytest.raises(EndpointGoneError):
            session.run(session.client.ask(BODY))
    assert key == "none" and other.log.headers
    assert "openai" not in shown_to(other.log).replace("asyncopenai/", "")
    assert [headers["authorization"] for headers in other.log.headers] == ["Bearer none"] * len(other.log.headers)


@pytest.mark.field
@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.usefixtures("exported")
def test_a_redirect_to_another_host_does_not_carry_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def on_to(path: str) -> Raw:
        return Raw("", status, {"location": f"{other.url}{path}"})

    with (
        serve(lambda body, number: "줄") as other,
        serve(lambda body, number: on_to("/chat/completions"), models=on_to("/models")) as named,
    ):
        settings = JudgeSettings(base_url=named.url, model=SERVED, api_key_env="MINE")
        monkeypatch.setenv("MINE", KEY)
        key = endpoints.key_for(settings, "evaluate.judge", local_hub=True)
        with Session(options_for(named.url, tmp_path), key) as session, pytest.raises(EndpointGoneError):
            session.run(session.client.ask(BODY))
    assert KEY in shown_to(named.log) and other.log.headers
    assert KEY not in shown_to(other.log)
    assert not any("authorization" in headers or "x-gateway" in headers for headers in other.log.headers)


@pytest.mark.field
@pytest.mark.parametrize("url", ["http://api.openai.com/v1", "https://api.openai.com.evil.example/v1", URL])
@pytest.mark.usefixtures("exported")
def test_the_key_of_openai_goes_to_openai_alone(url: str) -> None:
    openai = EndpointSettings(base_url="https://api.openai.com/v1", model="m")
    assert endpoints.key_for(openai, "x.teacher", local_hub=True) == SECRETS["OPENAI_API_KEY"]
    with pytest.raises(HanjulError, match="The teacher's key is not named"):
        endpoints.key_for(EndpointSettings(base_url=url, model="m"), "x.teacher", local_hub=True)
    assert {name: os.environ.get(name) for name in SECRETS} == SECRETS  # for a client of OpenAI that comes later


@pytest.mark.field
@pytest.mark.parametrize(
    "key", ["sk-1\n", " sk-1", "sk-1 # mine", "sk-\t1", "“sk-1”", "sk-한글", "sk-1\x7f", " ", "sk-1\r"]
)
def test_what_is_no_key_is_refused_unspoken(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("MINE", key)
    settings = EndpointSettings(base_url=URL, model="m", api_key_env="MINE")
    with pytest.raises(HanjulError, match="The judge's key holds a blank, the end of a line or another") as raised:
        endpoints.key_for(settings, "evaluate.judge", local_hub=True)
    assert raised.value.where == "MINE" and "sk-" not in str(raised.value)
    assert str(raised.value) in endpoints.missing(
        JudgeSettings(base_url=URL, model="m", api_key_env="MINE"), "evaluate.judge", local_hub=True
    )


@pytest.mark.field
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"base_url": "127.0.0.1:8000/v1"}, "give the whole address"),
        ({"base_url": "localhost:8000/v1"}, "give the whole address"),
        ({"base_url": ""}, "give the whole address"),
        ({"base_url": "https:///v1"}, "give the whole address"),
        ({"base_url": "https://host /v1"}, "give the whole address"),
        ({"base_url": "https://api.openai.com\\.evil.example/v1"}, "give the whole address"),
        ({"base_url": "https://host:port/v1"}, "Port could not be cast"),
        ({"base_url": "https://[::1/v1"}, "Invalid IPv6 URL"),
        ({"api_key_env": "sk-proj-abc"}, "never the key itself"),
        ({"api_key_env": "$OPENAI_API_KEY"}, "never the key itself"),
        ({"api_key_env": ""}, "never the key itself"),
    ],
)
def test_what_is_no_address_and_no_name_is_refused_unspoken(fields: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EndpointSettings.model_validate(fields)
