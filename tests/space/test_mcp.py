"""The tool as agents see it, by the client of the Model Context Protocol over streamable HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, Tool
from request import Problem

from tests.space.scripted import Engine, make_writer, serve


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def url(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(make_writer(engine), tmp_path_factory.mktemp("page")) as address:
        yield address


def visit(url: str, act: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """What an act of an agent gives."""

    async def run() -> Any:
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            return await act(session)

    return asyncio.run(run())


def call(url: str, arguments: dict[str, Any], tool: str = "write_copy") -> CallToolResult:
    result: CallToolResult = visit(url, lambda session: session.call_tool(tool, arguments))
    return result


def said(result: CallToolResult) -> list[str]:
    return [content.text for content in result.content]


def test_there_is_one_tool_with_a_full_schema(url: str) -> None:
    tools: list[Tool] = visit(url, lambda session: session.list_tools()).tools
    (tool,) = tools
    assert tool.name == "write_copy"
    assert "Korean ad copy" in str(tool.description) and "한 줄 광고 카피" in str(tool.description)
    schema = tool.inputSchema
    assert schema["required"] == ["product", "values"]
    assert all(argument["description"] for argument in schema["properties"].values())
    bare = {
        name: {key: value for key, value in argument.items() if key != "description"}
        for name, argument in schema["properties"].items()
    }
    assert bare == {
        "product": {"type": "string", "minLength": 1, "maxLength": 40},
        "values": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
        "count": {"type": "integer", "minimum": 1, "maximum": 8, "default": 5},
        "temperature": {"type": "number", "minimum": 0.1, "maximum": 1.5, "default": 0.3},
        "like": {"type": "string", "maxLength": 120},
        "base": {"type": "boolean"},
        "device": {"type": "string", "maxLength": 20},
        "tone": {"type": "string", "maxLength": 20},
        "lang": {"enum": ["ko", "en"], "default": "ko"},
    }
    assert (
        httpx.get(f"{url}/gradio_api/mcp/schema").json()[0]["inputSchema"] == schema
    )  # what the Hub's own server reads


def test_a_call_gives_lines_each_a_text(url: str, engine: Engine) -> None:
    result = call(url, {"product": " 제습기\n", "values": ["뽀송함"], "count": 3, "like": None})
    assert not result.isError
    assert said(result) == ["0번째 줄", "1번째 줄", "2번째 줄"]
    assert engine.asked[-1].chat[0]["content"] == "상품: 제습기\n가치: 뽀송함"


def test_progress_may_be_asked_for(url: str) -> None:
    async def act(session: ClientSession) -> CallToolResult:
        async def progress(done: float, total: float | None, message: str | None) -> None:
            told.append(done)

        return await session.call_tool(
            "write_copy", {"product": "우산", "values": "든든함"}, progress_callback=progress
        )

    told: list[float] = []
    assert len(said(visit(url, act))) == 5
    assert told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"values": ["여유"]}, "상품을 적어 주세요. 예: 제습기"),
        ({"product": "우산"}, "담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유"),
        ({"product": "우산", "values": ["여유"], "count": 99}, "카피 수는 1에서 8 사이의 정수로 골라 주세요."),
        ({"product": "우산", "values": ["여유"], "count": "3"}, "카피 수는 1에서 8 사이의 정수로 골라 주세요."),
        (
            {"product": 7, "values": ["여유"], "lang": "en"},
            "The product must be text, for example 제습기 (dehumidifier).",
        ),
        ({"product": "우산", "values": ["여유"], "lang": "fr"}, "언어는 ko나 en으로 알려 주세요."),
        (
            {"product": "우산", "values": ["여유"], "tone": "다정하게"},
            "이 모델은 표현 기법과 말투를 따로 받지 않습니다. 두 칸을 비워 주세요.",
        ),
    ],
)
def test_what_is_wrong_is_a_sentence(url: str, arguments: dict[str, Any], sentence: str) -> None:
    result = call(url, arguments)
    assert result.isError and said(result) == [sentence]


def test_unknown_names_are_sentences(url: str) -> None:
    assert said(call(url, {"produkt": "우산"}))[0].startswith("이름이 ‘produkt’인 인자는 없습니다.")
    result = call(url, {}, "write_poem")
    assert result.isError and said(result) == ["이름이 ‘write_poem’인 도구는 없습니다. 쓸 수 있는 도구: write_copy"]


def test_a_failure_while_writing_is_a_sentence(url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(asked: object) -> Iterator[str]:
        raise Problem("load-memory")

    monkeypatch.setattr(engine, "write", fail)
    result = call(url, {"product": "우산", "values": ["여유"], "lang": "en"})
    assert result.isError and said(result) == ["There is not enough memory to load the model."]
