"""Endpoints that say what is wrong in their own way, or fail at everything: found soon, and named in their words."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from pipelines.endpoint.answers.replies import Reply
from pipelines.endpoint.failures import EndpointGoneError, FailureKind
from pipelines.endpoint.health import FORBIDDEN, REFUSALS, TROUBLE, Health
from pipelines.endpoint.next_steps import EMPTY, FASTER, step_after
from pipelines.endpoint.spending.answer_store import Store
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Raw, completion, serve
from tests.pipelines.endpoint.teachers import hasten
from tests.pipelines.endpoint.test_client import after, answer, ask, body_of, error, outcomes

pytestmark = pytest.mark.field


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


def bodies(count: int, **parameters: Any) -> list[dict[str, Any]]:
    return [body_of(str(number), **parameters) for number in range(count)]


def gone(raised: list[Any]) -> EndpointGoneError:
    """The one reason why nothing was answered."""
    assert {type(one) for one in raised} == {EndpointGoneError}
    assert len({(str(one), one.next_step) for one in raised}) == 1
    return raised[0]


EXTRA = {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 7}
REFUSALS_OF_SEED: dict[str, Any] = {
    "FastAPI": {"detail": [EXTRA]},
    "FastAPI, no message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]},
    "detail": {"detail": "seed is not supported"},
    "error": {"error": "Unsupported parameter: seed"},
    "message": {"message": "unknown field `seed`"},
    "Korean": {"message": "seed는 지원하지 않습니다"},
    "param": {"error": {"message": "Unsupported parameter", "param": "seed"}},
    "errors": {"errors": [{"code": 7, "message": "body.seed is unknown"}]},
    "Google": [
        {"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.', "status": "INVALID_ARGUMENT"}}
    ],
    "OpenRouter": {
        "error": {"message": "Provider returned error", "metadata": {"raw": '{"error": "no seed, please"}'}}
    },
    "text": "Unsupported parameter: seed",
    "page": "<html><title>400 seed is unknown</title></html>",
}


@pytest.mark.parametrize("said", REFUSALS_OF_SEED.values(), ids=REFUSALS_OF_SEED.keys())
def test_learns_what_to_do_without_in_whatever_shape_it_is_said(store: Store, said: Any) -> None:
    def write(body: dict[str, Any], number: int) -> Any:
        return Raw(said, 400) if "seed" in body else "줄"

    with serve(write) as endpoint:
        replies, client = ask(endpoint.url, store, *bodies(3), one_by_one=True)
    assert [reply.texts for reply in replies] == [["줄"]] * 3
    assert client.compatibility.without == {"seed"}
    assert len(endpoint.log.requests) == 4


def test_a_parameter_that_is_named_goes_before_those_that_its_words_hold(store: Store) -> None:
    said = {"error": {"message": "temperature needs no seed", "param": "temperature"}}
    body = body_of(temperature=0.8)
    with serve(lambda body, number: Raw(said, 400) if "temperature" in body else "줄") as endpoint:
        _, client = ask(endpoint.url, store, body)
    assert client.compatibility.without == {"temperature"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"detail": "out of range"}, "Error code: 422 - out of range"),
        ("nothing doing", "Error code: 422 - nothing doing"),
        ("<html><title>Not now</title>", "Error code: 422 - an HTML page titled “Not now”"),
        ({"error": "no " * 1000}, "Error code: 422 - " + "no " * 99 + "no…"),
        ({"error": f"wrong key {KEY}"}, "Error code: 422 - wrong key …"),
        ({"error": "x" * 295 + KEY}, "Error code: 422 - " + "x" * 295 + "…"),  # not half of it, either
    ],
)
def test_the_words_of_an_endpoint_reach_the_reader(store: Store, said: Any, words: str) -> None:
    with serve(lambda body, number: Raw(said, 422)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert reply.failure.message.startswith(f"UnprocessableEntityError: {words}")
    assert len(reply.failure.message) < 400 and KEY[:6] not in reply.failure.message


@pytest.mark.parametrize("status", [400, 405, 413, 422])
def test_an_endpoint_that_refuses_everything_is_found(store: Store, status: int) -> None:
    with serve(lambda body, number: Raw({"detail": "the model is asleep"}, status)) as endpoint:
        raised, _ = ask(endpoint.url, store, *bodies(20), one_by_one=True)
    assert len(endpoint.log.requests) == REFUSALS[0]
    assert {one.failure.status for one in raised[: REFUSALS[0] - 1]} == {status}  # each for itself, as far as is known
    reason = gone(raised[REFUSALS[0] - 1 :])
    assert f"Error code: {status} - the model is asleep" in str(reason)
    assert (reason.failure.kind, reason.status, reason.next_step) == (FailureKind.GONE, status, step_after(status))


def test_an_endpoint_that_answered_and_then_refuses_everything_is_found_later(store: Store) -> None:
    with serve(after(["줄"] * 4, then=error(400, "no more"))) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies(40), one_by_one=True)
    assert len(endpoint.log.requests) == 4 + REFUSALS[1]
    assert "no more" in str(gone(replies[4 + REFUSALS[1] - 1 :]))


def test_refusals_among_answers_stop_nothing(store: Store) -> None:
    def write(body: dict[str, Any], number: int) -> Any:
        return "줄" if body["messages"][0]["content"].endswith("9") else error(400, "too long")

    with serve(write) as endpoint:
        replies, _ = ask(endpoint.url, store, body_of("0 9"), *bodies(60), one_by_one=True)
    assert sum(reply.texts == ["줄"] for reply in replies) == 7
    assert all(isinstance(reply, Reply) for reply in replies) and len(endpoint.log.requests) == 61


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_the_next_step_fits_the_status(store: Store, status: int) -> None:
    with serve(lambda body, number: error(status)) as endpoint:
        raised, _ = ask(endpoint.url, store, *bodies(3), most=1)
    reason = gone(raised)
    assert reason.next_step == step_after(status) and reason.status == status
    assert len(endpoint.log.requests) == FORBIDDEN[0]


FAILURES = {
    "500": (
        error(500, "CUDA out of memory"),
        "InternalServerError: Error code: 500 - CUDA out of memory",
        step_after(500),
    ),
    "502": (Raw("<html><title>502 Bad Gateway</title>", 502), "an HTML page titled “502 Bad Gateway”", step_after(502)),
    "page": (
        Raw("<html><title>Sign in</title></html>", 200, {"content-type": "text/html"}),
        "garbage instead of JSON: an HTML page titled “Sign in”",
        step_after(500),
    ),
    "200 with an error": (
        Raw({"error": {"message": "upstream is down", "code": 502}}),
        "an error instead of a chat completion: upstream is down",
        step_after(500),
    ),
    "no choices": (answer({}, choices=[]), "garbage: an answer without choices", step_after(500)),
    "ended in an error": (
        answer(
            {}, choices=[{"finish_reason": "error", "message": {"content": None}, "error": {"message": "overloaded"}}]
        ),
        "an answer that ended in an error: overloaded",
        step_after(500),
    ),
}


@pytest.mark.parametrize(("failure", "words", "step"), FAILURES.values(), ids=FAILURES.keys())
def test_an_endpoint_that_fails_at_everything_is_found(store: Store, failure: Any, words: str, step: str) -> None:
    with serve(lambda body, number: failure) as endpoint:
        began = time.monotonic()
        raised, _ = ask(endpoint.url, store, *bodies(100), most=50)
        assert time.monotonic() - began < 5
    reason = gone(raised)
    assert words in str(reason) and reason.next_step == step
    # The first round, and one at a time until it is sure: not eight attempts of each.
    assert len(endpoint.log.requests) <= 50 + 30
    assert store.spent("run").requests == len(endpoint.log.requests)


def test_an_endpoint_that_fails_for_a_moment_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.endpoint.health.SECONDS", (20.0, 120.0))
    with serve(after([error(500)] * 25)) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies(40), most=20)
    assert [reply.texts for reply in replies] == [["줄"]] * 40
    assert len(endpoint.log.requests) == 65


def test_an_endpoint_that_never_answers_in_time_is_found(store: Store) -> None:
    def write(body: dict[str, Any], number: int) -> str:
        time.sleep(0.3)
        return "줄"

    with serve(write) as endpoint:
        raised, _ = ask(endpoint.url, store, *bodies(60), most=20, timeout=0.1)
    reason = gone(raised)
    assert (str(reason), reason.next_step) == ("time-out after 0.1 s", FASTER)
    assert len(endpoint.log.requests) <= 20 + 5


def test_fewer_are_sent_at_a_time_once_some_time_out(store: Store) -> None:
    places = threading.Semaphore(4)

    def write(body: dict[str, Any], number: int) -> str:
        with places:
            time.sleep(0.05)
        return "줄"

    with serve(write) as endpoint:
        replies, client = ask(endpoint.url, store, *bodies(30), most=30, timeout=0.3)
    assert [reply.texts for reply in replies] == [["줄"]] * 30
    assert client.limiter.limit < 30


NOTHING = {
    "empty": answer({"content": ""}),
    "null": answer({"content": None}),
    "missing": answer({}),
    "whitespace": answer({"content": " \n\n"}),
    "thought": answer({"content": "<think>음</think>\n"}),
    "reasoning": answer({"content": None, "reasoning_content": "음"}),
    "length": answer({}, choices=[{"finish_reason": "length", "message": {"content": ""}}]),
    "error": FAILURES["ended in an error"][0],
    "no choices": answer({}, choices=[]),
}


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING.keys())
def test_an_answer_without_a_text_is_not_kept(store: Store, nothing: Any) -> None:
    with serve(lambda body, number: nothing) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert not any(text.strip() for text in reply.texts)
    with serve(lambda body, number: "줄") as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert reply.texts == ["줄"] and len(endpoint.log.requests) == 1


KEPT = {
    "empty": {"texts": [""], "failure": None},
    "no texts": {"texts": [], "failure": None},
    "whitespace": {"texts": [" \n"], "failure": None},
    "thought": {"texts": ["<think>음"], "failure": None},
    "too short": {
        "texts": [],
        "failure": {
            "kind": "unusable",
            "message": "the answer ended before it began; raise `max_new_tokens`",
            "status": None,
        },
    },
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT.keys())
def test_what_earlier_versions_kept_without_a_text_is_asked_for_again(store: Store, kept: dict[str, Any]) -> None:
    with serve(lambda body, number: "줄") as endpoint:
        _, client = ask(endpoint.url, store, body_of())
        store.keep(client.key_of(body_of()), {"input_tokens": 1, "output_tokens": 0, "tokens": [], **kept})
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert (reply.texts, reply.kept, len(endpoint.log.requests)) == (["줄"], False, 2)


def test_what_earlier_versions_kept_is_read(store: Store) -> None:
    kept = {"texts": ["<think>음</think>줄"], "input_tokens": 1, "output_tokens": 2, "failure": None}
    refused = {**kept, "texts": [], "failure": {"kind": "refused", "message": "싫어요", "status": None}}
    assert Reply.from_json(kept) == Reply(["줄"], 1, 2)
    assert Reply.from_json(refused).failure.message == "싫어요"


def test_an_endpoint_whose_answers_hold_no_text_is_found(store: Store) -> None:
    with serve(lambda body, number: "") as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies(20), one_by_one=True)
    assert len(endpoint.log.requests) == REFUSALS[0]
    reason = gone(replies[REFUSALS[0] - 1 :])
    assert (str(reason), reason.next_step) == ("its answers hold no text", EMPTY)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (json.dumps(completion(body_of(), ["줄"])), {"content-type": "text/plain"}),
        ("\ufeff" + json.dumps(completion(body_of(), ["줄"])), {"content-type": "application/json"}),
        ("\ufeff" + json.dumps(completion(body_of(), ["줄"])), {"content-type": "text/plain; charset=utf-8"}),
        (json.dumps(completion(body_of(), ["줄"])), {"content-type": "application/octet-stream"}),
        (json.dumps(completion(body_of(), ["줄"])), {"content-type": "text/html; charset=euc-kr"}),
    ],
)
def test_json_is_read_whatever_it_is_called(store: Store, content: str, headers: dict[str, str]) -> None:
    with serve(lambda body, number: Raw(content, 200, headers)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert isinstance(reply, Reply) and reply.texts == ["줄"]


def test_a_reply_says_who_answered(store: Store) -> None:
    served = {**completion(body_of(), ["줄"]), "model": "another-model"}
    with serve(lambda body, number: Raw(served)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
        (again,), _ = ask(endpoint.url, store, body_of())
    assert (reply.model, again.model, again.kept) == ("another-model", "another-model", True)
    with serve(lambda body, number: "줄") as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of("다른 것"))
    assert reply.model == MODEL


def test_one_that_must_wait_silences_none_that_are_answered(store: Store) -> None:
    """A limit for one request, by its size or its provider, is not one for all."""
    refused: list[float] = []
    arrived: list[float] = []

    def write(body: dict[str, Any], number: int) -> Any:
        arrived.append(time.monotonic())
        if "먼저" in str(body) and not refused:
            refused.append(time.monotonic())
            return error(429, headers={"retry-after": "0.8"})
        time.sleep(0.02)
        return "줄"

    with serve(write) as endpoint:
        (first, *others), _ = ask(endpoint.url, store, body_of("먼저"), *bodies(20), most=4)
    assert first.texts == ["줄"] and all(reply.texts == ["줄"] for reply in others)
    assert "먼저" in str(endpoint.log.requests[-1]) and arrived[-1] - refused[0] >= 0.8  # that one waits
    assert arrived[-2] - refused[0] < 0.7
    assert outcomes(store).count(("429", 0, 0)) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_an_endpoint_that_always_asks_for_time_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("pipelines.endpoint.client.PATIENCE_S", 0.2)
    with serve(lambda body, number: error(status, "come back tomorrow")) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies(40), most=20)
    raised = [one for one in replies if not isinstance(one, Reply)]
    assert len(raised) > 40 - REFUSALS[0]
    assert "come back tomorrow" in str(gone(raised)) and raised[0].next_step == step_after(status)
    assert len(endpoint.log.requests) <= 60  # nobody is asked at full pace what nobody is told


def test_health_forgets_at_an_answer() -> None:
    health = Health()
    for _ in range(3):
        assert not any(health.on_refusal() for _ in range(REFUSALS[0] - 1))
        health.on_answer()
    assert not any(health.on_refusal() for _ in range(REFUSALS[1] - 1))
    assert health.on_refusal()


def test_one_request_alone_never_means_all() -> None:
    health = Health()
    assert not any(health.on_failure(key) for key in "ab" * 1000)
    assert health.in_trouble
    assert not any(Health().on_failure("a") for _ in range(TROUBLE))


def test_failures_of_a_moment_are_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pipelines.endpoint.health.SECONDS", (20.0, 120.0))
    monkeypatch.setattr("pipelines.endpoint.health.time.monotonic", lambda: now[0])
    health = Health()
    assert not any(health.on_failure(str(number)) for number in range(50))
    now[0] += 19
    assert not health.on_failure("a")
    now[0] += 1
    assert health.on_failure("a")
    health.on_answer()
    assert not any(health.on_failure(str(number)) for number in range(50))
    now[0] += 119
    assert not health.on_failure("a")
    now[0] += 1
    assert health.on_failure("a")


def test_time_outs_of_minutes_are_enough_however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pipelines.endpoint.health.time.monotonic", lambda: now[0])
    health, stopped = Health(), []
    for key in "abcd":
        stopped.append(health.on_failure(key))
        now[0] += 120
    assert stopped == [False, False, False, True]
