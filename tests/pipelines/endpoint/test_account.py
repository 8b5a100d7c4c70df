from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from pipelines.endpoint.account import open_api
from pipelines.endpoint.teacher_llm import teacher_llm
from tests.pipelines.endpoint.teachers import options_for

pytestmark = pytest.mark.field

OPENAI = "https://api.openai.com/v1"
STRANGERS = ["https://teacher.example/v1", "http://127.0.0.1:9/v1", "http://api.openai.com/v1"]
ACCOUNT = {
    "OPENAI_ORG_ID": "org-mine",
    "OPENAI_PROJECT_ID": "proj-mine",
    "OPENAI_ADMIN_KEY": "sk-admin-mine",
    "OPENAI_CUSTOM_HEADERS": "X-Gateway: mine\nauthorization: Bearer mine\nUser-Agent: mine",
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)


def sent_by(api: openai.AsyncOpenAI) -> dict[str, str]:
    """The headers of a request to an endpoint that is there; nothing leaves."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={})

    with_server = api.with_options(http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)))
    asyncio.run(with_server.get("/models", cast_to=httpx2.Response))
    return dict(seen[0].headers)


@pytest.mark.parametrize("url", STRANGERS)
def test_another_host_sees_nothing_of_the_account(url: str) -> None:
    opened = open_api(url, "sk-theirs", 5)
    for api in (opened, opened.with_options(timeout=1)):  # a copy reads the environment again
        headers = sent_by(api)
        assert "mine" not in str(headers) and headers["authorization"] == "Bearer sk-theirs"


def test_openai_is_told_the_account_also_after_another_was_opened() -> None:
    for url in STRANGERS:
        open_api(url, "sk-theirs", 5)
    headers = sent_by(open_api(OPENAI, "sk-ours", 5))
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-mine", "proj-mine")
    assert headers["x-gateway"] == "mine"


def test_a_teacher_and_a_second_one_at_openai(tmp_path: Path) -> None:
    how: dict[str, Any] = {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 9, "seed": 1}
    elsewhere = teacher_llm(options_for(STRANGERS[0], tmp_path), "sk-theirs", **how)
    ours = teacher_llm(options_for(OPENAI, tmp_path), "sk-ours", **how)
    for llm in (elsewhere, ours):
        llm.load()
    assert "mine" not in str(sent_by(elsewhere.open().connection.api))
    assert sent_by(ours.open().connection.api)["openai-project"] == "proj-mine"
