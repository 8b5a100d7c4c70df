"""Synthesis through a provider's Batch API."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.endpoint.answers import lines_form
from pipelines.endpoint.budget import Caps
from pipelines.endpoint.flight import Answered, Asked, fly
from pipelines.endpoint.prices import Price
from pipelines.endpoint.store import Store
from pipelines.endpoint.teacher import Teacher, teacher_llm
from tests.pipelines.batch_server import Provider, provide
from tests.pipelines.teacher_server import KEY, MODEL

SAMPLING = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 40, "concurrency": 4, "seed": 7, "timeout": 5}
QUESTIONS = [Asked([{"role": "user", "content": f"상품 {number}"}], 0, {"turn": number}) for number in range(5)]


def teacher(provider: Provider, folder: Path, caps: Caps | None = None) -> Teacher:
    store = folder / "answers.sqlite"
    return teacher_llm(
        provider.url, MODEL, KEY, identity="provider", store=store, run_id="run", batch_poll_s=1, caps=caps,
        price=Price(1.0, 2.0), **SAMPLING,
    )  # fmt: skip


def ask(llm: Teacher, wanted: int = 2) -> list[Answered]:
    llm.load()
    return sorted(
        fly(llm, iter(QUESTIONS), len(QUESTIONS), wanted, lines_form(wanted, 40)), key=lambda a: a.about["turn"]
    )


def lines(body: dict) -> str:
    return f'{{"copies": ["{body["messages"][0]["content"]} 아침", "밤 {body["seed"]}"]}}'


def test_one_batch_answers_all_and_is_never_sent_again(tmp_path: Path) -> None:
    with provide(lines, looks=1) as provider:
        found = ask(teacher(provider, tmp_path))
        assert [answered.written.texts[0] for answered in found] == [f"상품 {number} 아침" for number in range(5)]
        assert all(answered.written.failure == "" for answered in found)
        assert len(provider.batches) == 1 and len(provider.bodies) == 5
        assert len({body["seed"] for body in provider.bodies}) == 5
        assert provider.bodies[0]["response_format"]["type"] == "json_schema"
        again = ask(teacher(provider, tmp_path))
        assert again == found and len(provider.batches) == 1
    spent = Store(tmp_path / "answers.sqlite").spent("run")
    assert (spent.requests, spent.output_tokens) == (5, sum(len(lines(body)) for body in provider.bodies))
    assert spent.usd == pytest.approx((spent.input_tokens + 2 * spent.output_tokens) / 1e6)


def test_garbage_makes_a_second_batch_of_its_own(tmp_path: Path) -> None:
    seen: set[str] = set()

    def once_garbage(body: dict) -> str:
        text = body["messages"][0]["content"]
        first = text == "상품 3" and text not in seen
        seen.add(text)
        return '{"copies": [' if first else lines(body)

    with provide(once_garbage) as provider:
        found = ask(teacher(provider, tmp_path))
    assert all(len(answered.written.texts) == 2 for answered in found)
    assert len(provider.batches) == 2 and len(provider.bodies) == 6


def test_a_request_that_fails_stays_with_its_pair(tmp_path: Path) -> None:
    with provide(lambda body: None if "상품 1" in str(body) else lines(body)) as provider:
        found = ask(teacher(provider, tmp_path))
    assert [bool(answered.written.texts) for answered in found] == [True, False, True, True, True]
    assert found[1].written.failure == "its batch brought no answer"


def test_a_batch_under_way_is_waited_for_and_not_sent_again(tmp_path: Path) -> None:
    import pipelines.endpoint.offline

    with provide(lines) as provider:
        llm = teacher(provider, tmp_path)
        llm.load()
        client = llm.open()
        body = {"model": MODEL, "messages": QUESTIONS[0].messages, "n": 1, "max_tokens": 4, "seed": 1}
        client.missing = {"key": body}
        batch = pipelines.endpoint.offline._send(llm, client)
        assert client.open_batches() == [batch]
        client.store.close()
        ask(teacher(provider, tmp_path))
        assert len(provider.batches) == 2  # the one that was under way, read, and the one for the five questions
        reopened = teacher(provider, tmp_path)
        reopened.load()
        assert reopened.open().open_batches() == []
    assert Store(tmp_path / "answers.sqlite").answer("key")["texts"]


def test_limits_hold_before_a_batch_is_sent(tmp_path: Path) -> None:
    with provide(lines) as provider:
        found = ask(teacher(provider, tmp_path, Caps(requests=3)))
        assert len(provider.bodies) == 3
    assert (
        sorted(answered.written.failure for answered in found)
        == ["", "", ""] + ["limit: max_requests = 3 (3 sent)"] * 2
    )


def test_a_provider_without_batches_is_a_sentence(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path)
        llm.base_url = provider.url.replace("/v1", "/v2")
        found = ask(llm)
    assert {answered.written.failure[:30] for answered in found} == {"gone: the provider took no bat"}
