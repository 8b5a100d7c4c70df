"""Models that think first, at endpoints that can turn it off, ignore that, or do not know it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.endpoint.answers.replies import TOO_SHORT
from pipelines.endpoint.compatibility import NO_THINKING, ROOM, TEMPLATE
from pipelines.endpoint.failures import EndpointGoneError, Failure, FailureKind
from pipelines.endpoint.health import REFUSALS
from pipelines.endpoint.next_steps import RAISE
from pipelines.endpoint.spending.answer_store import Store
from pipelines.endpoint.spending.budget import Caps
from tests.pipelines.endpoint.teacher_server import Endpoint, Raw, completion, serve
from tests.pipelines.endpoint.teachers import teacher_at
from tests.pipelines.endpoint.test_client import ask, body_of, error

pytestmark = pytest.mark.field

LIMIT = body_of()["max_tokens"]
KNOWS = frozenset({TEMPLATE})


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)


def thinker(thought: int, *, ignores: bool = False, as_field: bool = True) -> Callable[[dict[str, Any], int], Any]:
    """A model that thinks for so many tokens, unless it is told not to and listens."""

    def write(body: dict[str, Any], number: int) -> Any:
        silent = body.get(TEMPLATE) == NO_THINKING and not ignores
        fits = silent or body["max_tokens"] > thought
        if as_field:
            message = {"content": "줄" if fits else None, "reasoning_content": None if silent else "음"}
        else:
            message = {
                "content": ("" if silent else "<think>음" + ("</think>" if fits else "")) + ("줄" if fits else "")
            }
        choice = {"finish_reason": "stop" if fits else "length", "message": message}
        return Raw({**completion(body, ["줄"]), "choices": [choice]})

    return write


def forms(endpoint: Endpoint) -> list[tuple[bool, int]]:
    """Of each request whether it turned thinking off, and its limit."""
    return [(TEMPLATE in request, request["max_tokens"]) for request in endpoint.log.requests]


@pytest.mark.parametrize("as_field", [True, False])
def test_thinking_is_turned_off_where_the_endpoint_can(store: Store, as_field: bool) -> None:
    bodies = [body_of(str(number)) for number in range(3)]
    with serve(thinker(10_000, as_field=as_field), knows=KNOWS) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies, one_by_one=True)
        assert [reply.texts for reply in replies] == [["줄"]] * 3
        assert forms(endpoint) == [(False, LIMIT)] + [(True, LIMIT)] * 3
        (reply,), client = ask(endpoint.url, store, body_of("다른 것"))  # another process knows it
    assert reply.texts == ["줄"] and forms(endpoint)[-1] == (True, LIMIT)
    assert (client.compatibility.thinking, client.compatibility.room) == ("off", 0)


def refusing(body: dict[str, Any], number: int) -> Any:
    return error(500, "Jinja error") if TEMPLATE in body else thinker(100)(body, number)


def unnamed(body: dict[str, Any], number: int) -> Any:
    return error(400, "bad request") if TEMPLATE in body else thinker(100)(body, number)


@pytest.mark.parametrize(
    ("write", "knows", "sent"),
    [
        (thinker(100, ignores=True), KNOWS, 3),
        (thinker(100), frozenset(), 2),  # refused by its name: that request is no good one, and not in the log
        (refusing, KNOWS, 3),
        (unnamed, KNOWS, 3),
    ],
    ids=["ignored", "unknown", "broken", "unnamed"],
)
def test_else_the_limit_is_raised_once(store: Store, write: Any, knows: frozenset[str], sent: int) -> None:
    with serve(write, knows=knows) as endpoint:
        (first, second), client = ask(endpoint.url, store, body_of("가"), body_of("나"), one_by_one=True)
    assert first.texts == second.texts == ["줄"]
    assert forms(endpoint)[-2:] == [(False, ROOM * LIMIT)] * 2
    assert (client.compatibility.thinking, client.compatibility.room) == ("stays", ROOM)
    tries = [form for form in forms(endpoint) if form != (False, LIMIT)]
    assert len(tries) == sent and store.spent("run").requests >= sent + 1


@pytest.mark.parametrize("status", [408, 409, 502, 504, 524, 529])
def test_a_gateway_in_trouble_teaches_nothing(store: Store, status: int) -> None:
    troubles = iter([error(status, "bad gateway")] * 2)

    def write(body: dict[str, Any], number: int) -> Any:
        return next(troubles, None) or thinker(10_000)(body, number) if TEMPLATE in body else thinker(100)(body, number)

    with serve(write, knows=KNOWS) as endpoint:
        (reply,), client = ask(endpoint.url, store, body_of())
    assert reply.texts == ["줄"]
    assert forms(endpoint) == [(False, LIMIT)] + [(True, LIMIT)] * 3
    assert (client.compatibility.thinking, client.compatibility.room) == ("off", 0)


def test_a_server_that_fails_without_the_field_too_teaches_no_other_process(store: Store) -> None:
    def write(body: dict[str, Any], number: int) -> Any:
        return thinker(100)(body, number) if len(endpoint.log.requests) == 1 else error(500, "oops")

    with serve(write, knows=KNOWS) as endpoint:
        _, client = ask(endpoint.url, store, body_of())
    assert forms(endpoint)[:3] == [(False, LIMIT), (True, LIMIT), (False, LIMIT)]
    assert client.compatibility.thinking == "stays"
    with serve(thinker(10_000), knows=KNOWS) as endpoint:
        (reply,), client = ask(endpoint.url, store, body_of("나"))
    assert reply.texts == ["줄"] and client.compatibility.thinking == "off"


def test_a_model_that_hides_its_thoughts_is_given_room(store: Store) -> None:
    def write(body: dict[str, Any], number: int) -> Any:
        fits = body["max_tokens"] > 100
        choice = {"finish_reason": "stop" if fits else "length", "message": {"content": "줄" if fits else ""}}
        return Raw({**completion(body, ["줄"]), "choices": [choice]})

    with serve(write) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert reply.texts == ["줄"] and forms(endpoint) == [(False, LIMIT), (False, ROOM * LIMIT)]


def test_an_answer_that_never_begins_says_what_to_raise(store: Store) -> None:
    with serve(thinker(10_000), knows=frozenset()) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert (
        reply.failure
        == TOO_SHORT
        == Failure(FailureKind.UNUSABLE, "the limit ended the answer before its text began", next_step=RAISE)
    )
    assert "`max_new_tokens`" in str(reply.failure)


def test_the_limit_is_raised_within_the_budget_alone(store: Store) -> None:
    caps = Caps(tokens=400)
    with serve(thinker(100, ignores=True), knows=KNOWS) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of(), caps=Caps(tokens=ROOM * LIMIT))
        assert reply.failure == TOO_SHORT
        assert {limit for _, limit in forms(endpoint)} == {LIMIT}
        (reply,), _ = ask(endpoint.url, store, body_of(), caps=caps)
    assert reply.texts == ["줄"]


def test_where_there_is_no_room_the_limit_stays_as_it_was(store: Store) -> None:
    def write(body: dict[str, Any], number: int) -> Any:
        if body["max_tokens"] > LIMIT:
            return error(400, "max_tokens is too large: the context has 64 tokens")
        return thinker(10_000, ignores=True)(body, number)

    with serve(write, knows=KNOWS) as endpoint:
        (reply,), client = ask(endpoint.url, store, body_of())
    assert reply.failure == TOO_SHORT and client.compatibility.room == 1
    assert [limit for _, limit in forms(endpoint)] == [LIMIT, LIMIT, ROOM * LIMIT, LIMIT]


def test_a_model_that_only_thinks_is_found(store: Store) -> None:
    bodies = [body_of(str(number)) for number in range(60)]
    with serve(thinker(10_000, ignores=True), knows=KNOWS) as endpoint:
        raised, _ = ask(endpoint.url, store, *bodies, one_by_one=True)
    assert len(endpoint.log.requests) == 3 + REFUSALS[0] - 1
    assert isinstance(raised[-1], EndpointGoneError)
    assert (str(raised[-1]), raised[-1].next_step) == (TOO_SHORT.message, RAISE)


def test_all_learn_at_once_while_others_are_in_flight(store: Store) -> None:
    bodies = [body_of(str(number)) for number in range(40)]
    with serve(thinker(10_000), knows=KNOWS) as endpoint:
        replies, client = ask(endpoint.url, store, *bodies, most=20)
    assert [reply.texts for reply in replies] == [["줄"]] * 40
    assert (client.compatibility.thinking, client.compatibility.room) == ("off", 0)
    assert len(endpoint.log.requests) <= 40 + 20


def test_what_was_thought_is_no_line(tmp_path: Path) -> None:
    thought = "<think>\n버릴 줄\n</think>\n\n"
    with serve(lambda body, number: f"{thought}줄 {number}") as endpoint:
        llm = teacher_at(endpoint.url, tmp_path)
        llm.load()
        written = asyncio.run(llm.write(body_of()["messages"], 2, **llm.get_generation_kwargs()))
    assert written.texts == ["줄 0", "줄 1"]


def test_a_completion_says_who_answered_instead(tmp_path: Path) -> None:
    served = iter(["copywriter-1", "other-2", "copywriter-1-2026-01-01"])
    with serve(lambda body, number: Raw({**completion(body, ["줄"]), "model": next(served)})) as endpoint:
        llm = teacher_at(endpoint.url, tmp_path, choices=1)
        llm.load()
        written = asyncio.run(llm.write(body_of()["messages"], 3, **llm.get_generation_kwargs()))
    assert (written.texts, written.model) == (["줄"] * 3, "other-2")
    assert written.to_json()["model"] == "other-2"
