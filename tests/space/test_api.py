"""The page's API, asked by Gradio's own client and by raw HTTP, with a model from a script behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import view
from app import build_page
from gradio_client import Client
from writer import Writer

from pipelines.rows import PROMPT_FORMAT
from tests.space.test_writer import Scripted

COUNT = "카피 수는 1에서 8 사이의 정수로 골라 주세요."
TEMPERATURE = "다양성(온도)은 0.1에서 1.5 사이로 골라 주세요."
NO_PRODUCT = "상품을 적어 주세요. 예: 제습기"
NO_VALUE = "담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유"
NO_TEXT = "상품은 글자로 적어 주세요. 예: 제습기", "담을 가치는 글자로 적어 주세요. 예: 뽀송함, 여유"
NAMES = {"adapter": "a/b", "revision": "0" * 40, "base_model": "c/d", "dataset": ""}
SETTINGS = {"title": "한 줄", "examples": [], **NAMES}
GOOD: list[Any] = ["제습기", "뽀송함, 여유", 2, 0.3]


class Willing(Scripted):
    """Writes as many lines as it is asked for."""

    def scripted(self, chat: list[dict[str, str]], count: int, temperature: float, seed: int) -> Iterator[str]:
        self.asked.append((chat, count, temperature, seed))
        yield from (f"{place}번째 줄" for place in range(count))


@pytest.fixture(scope="module")
def model() -> Willing:
    return Willing()


@pytest.fixture(scope="module")
def url(model: Willing) -> Iterator[str]:
    page = build_page(SETTINGS, Writer(model, PROMPT_FORMAT))
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        yield address.rstrip("/")
    finally:
        page.close(verbose=False)


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


def asked(url: str, body: str) -> str:
    """The last list that the API shows for a body of raw JSON."""
    called = httpx.post(f"{url}/gradio_api/call/write", content=body, headers={"content-type": "application/json"})
    assert called.status_code == 200, called.text
    events = httpx.get(f"{url}/gradio_api/call/write/{called.json()['event_id']}", timeout=30).text
    *_, last = [block for block in events.split("\n\n") if block.startswith("event: complete")]
    return str(json.loads(last.split("data: ", 1)[1])[1])


def with_field(place: int, raw: str) -> str:
    """The body of a good request with one field in raw JSON."""
    fields = [json.dumps(field) for field in GOOD]
    fields[place] = raw
    return f'{{"data": [{", ".join(fields)}]}}'


@pytest.mark.field
@pytest.mark.parametrize(
    ("place", "raw", "sentence"),
    [
        *((2, raw, COUNT) for raw in ("2.7", "0", "-1", "99", "1e400", "null", "NaN", "Infinity", "-Infinity")),
        *((2, raw, COUNT) for raw in ('"three"', '"3"', "true", "[2]", "{}")),
        *((3, raw, TEMPERATURE) for raw in ("0", "1.6", "99", "null", "NaN", "Infinity", '"warm"', "true", "[]", "{}")),
        *((0, raw, NO_PRODUCT) for raw in ("null", '""', '" \\u200b"')),
        (0, f'"{"가" * 10_000}"', "상품은 40자까지 적을 수 있습니다. 지금 10000자입니다."),
        *((0, raw, NO_TEXT[0]) for raw in ("7", '["제습기"]', '{"product": "제습기"}', "NaN")),
        *((1, raw, NO_VALUE) for raw in ("null", "[]", '[" "]', '","')),
        *((1, raw, NO_TEXT[1]) for raw in ("{}", '{"a": "b"}', "[1]", "[[]]", "1")),
    ],
)
def test_raw_json_is_answered_in_the_pages_own_sentences(
    url: str, model: Willing, place: int, raw: str, sentence: str
) -> None:
    before = len(model.asked)
    assert asked(url, with_field(place, raw)) == view.result(sentence, state="problem")
    assert len(model.asked) == before


@pytest.mark.field
@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (2, 99, COUNT),
        (2, 2.7, COUNT),
        (2, "three", COUNT),
        (3, 0, TEMPERATURE),
        (0, None, NO_PRODUCT),
        (1, [], NO_VALUE),
    ],
)
def test_the_client_reads_the_same_sentences(client: Client, place: int, value: Any, sentence: str) -> None:
    fields = [*GOOD]
    fields[place] = value
    assert sentence in client.predict(*fields, api_name="/write")[1]


@pytest.mark.parametrize(("count", "values"), [("2", '"뽀송함, 여유"'), ("2.0", '["뽀송함", "여유"]')])
def test_what_is_right_is_written(url: str, model: Willing, count: str, values: str) -> None:
    shown = asked(url, f'{{"data": ["제습기", {values}, {count}, 1]}}')
    assert "0번째 줄" in shown and "1번째 줄" in shown and "카피 2개를 썼습니다." in shown
    chat, asked_for, temperature, _ = model.asked[-1]
    assert chat == [{"role": "user", "content": "상품: 제습기\n가치: 뽀송함, 여유"}]
    assert (asked_for, temperature) == (2, 1.0) and isinstance(asked_for, int)
