from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from pipelines.endpoint.answers.json_answers import lines_of, schema_of
from pipelines.endpoint.answers.replies import Reply
from pipelines.endpoint.client import ATTEMPTS, Client
from pipelines.endpoint.completions import SENSELESS, Completion
from pipelines.endpoint.connection import Connection
from pipelines.endpoint.failures import BudgetSpentError, EndpointGoneError, Failure, FailureKind
from pipelines.endpoint.next_steps import START, step_after
from pipelines.endpoint.rate_limiter import DECREASE
from pipelines.endpoint.spending.answer_store import Spent, Store
from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.spending.prices import Price, most_input_tokens
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Raw, Reset, completion, serve
from tests.pipelines.endpoint.teachers import hasten, options_for, teacher_at

#: Seconds that an answer may take where one comes, and where none is to come.
TIMEOUT, SHORT = 10, 0.2
UNUSABLE = Failure(FailureKind.UNUSABLE, "no usable answer")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)
    monkeypatch.setattr("pipelines.endpoint.client.PATIENCE_S", 10.0)


def body_of(text: str = "상품", **parameters: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": MODEL, "messages": messages, "n": 1, "seed": 7, "max_tokens": 40, **parameters}


FULL = body_of(temperature=0.8, top_p=0.95, response_format=schema_of(2))


def ask(
    url: str,
    store: Store,
    *bodies: dict[str, Any],
    most: int = 8,
    key: str = KEY,
    identity: str = "who",
    caps: Caps | None = None,
    price: Price | None = None,
    timeout: float = TIMEOUT,
    one_by_one: bool = False,
) -> tuple[list[Any], Client]:
    """What a new client replies to each body, or raises; asked all at once or one by one."""

    async def main() -> tuple[list[Any], Client]:
        http = openai.DefaultAsyncHttpxClient(verify=False)  # loading certificates takes longer than a test
        async with openai.AsyncOpenAI(
            base_url=url, api_key=key, max_retries=0, timeout=timeout, http_client=http
        ) as api:
            fields = {"concurrency": most, "identity": identity, "timeout": timeout, "price": price}
            client = Client(api, options_for(url, store.path.parent, caps=caps or Caps(), **fields))
            if one_by_one:
                replies = []
                for body in bodies:
                    replies += await asyncio.gather(client.ask(body), return_exceptions=True)
                return replies, client
            return await asyncio.gather(*(client.ask(body) for body in bodies), return_exceptions=True), client

    return asyncio.run(main())


def after(failures: list[Any], then: str = "줄") -> Callable[[dict[str, Any], int], Any]:
    """Answers with each failure once, then with a line."""
    left = iter(failures)
    return lambda body, number: next(left, then)


def error(status: int, message: str = "no", headers: dict[str, str] | None = None, **fields: Any) -> Raw:
    return Raw({"error": {"message": message, "type": "error", "code": None, **fields}}, status, headers or {})


def answer(message: Any, **fields: Any) -> Raw:
    """A completion with this message in its one choice, or with these fields instead of its own."""
    return Raw({**completion(body_of(), ["줄"]), "choices": [{"finish_reason": "stop", "message": message}], **fields})


def outcomes(store: Store) -> list[tuple[str, int, int]]:
    with sqlite3.connect(store.path) as ledger:
        return ledger.execute("select outcome, input_tokens, output_tokens from requests order by id").fetchall()


def test_sends_the_body_as_it_is_and_reads_text_and_tokens(store):
    with serve(lambda body, number: f"줄 {number}") as endpoint:
        (reply,), client = ask(endpoint.url, store, {**FULL, "n": 2}, price=Price(1.0, 10.0))
    assert endpoint.log.requests == [{**FULL, "n": 2}]
    assert reply == Reply(["줄 0", "줄 1"], input_tokens=2, output_tokens=6)
    assert outcomes(store) == [("answered", 2, 6)]
    assert client.budget.spent == Spent(1, 2, 6, pytest.approx(62e-6))


def test_what_was_answered_once_is_not_asked_again(store):
    bodies = [body_of(str(number)) for number in range(20)]
    with serve(lambda body, number: f"줄 {body['messages'][0]['content']}") as endpoint:
        first, _ = ask(endpoint.url, store, *bodies)
        assert (sum(reply.kept for reply in first), len(endpoint.log.requests)) == (0, 20)
        again, _ = ask(endpoint.url, store, *bodies, *bodies)
        assert (sum(reply.kept for reply in again), len(endpoint.log.requests)) == (40, 20)
        ask(endpoint.url, store, *bodies, identity="another")
        assert len(endpoint.log.requests) == 40
        ask(endpoint.url, store, body_of("0", seed=8))
        assert len(endpoint.log.requests) == 41
    assert first == [Reply([f"줄 {number}"], 1 if number < 10 else 2, 3 if number < 10 else 4) for number in range(20)]
    assert again == first * 2
    # The endpoint may even be gone.
    assert ask(endpoint.url, Store(store.path), *bodies)[0] == first


def test_never_more_in_flight_than_the_limiter_lets_through(store):
    def slow(body: dict[str, Any], number: int) -> str:
        time.sleep(0.05)
        return "줄"

    with serve(slow) as endpoint:
        replies, client = ask(endpoint.url, store, *(body_of(str(number)) for number in range(40)), most=4)
    assert [reply.texts for reply in replies] == [["줄"]] * 40
    assert endpoint.log.peak == 4
    assert client.limiter.in_flight == 0


LOST = ("lost", most_input_tokens(body_of()["messages"]), 40)


#: What comes instead of an answer, and its entry in the ledger (None: open, since it is garbage that tells its tokens).
FAILURES = {
    "500": (error(500), ("500", 0, 0)),
    "502": (error(502), LOST),  # the gateway may have had an answer, and its bill
    "503": (error(503), ("503", 0, 0)),
    "408": (error(408), ("408", 0, 0)),
    "409": (error(409), ("409", 0, 0)),
    "429": (error(429), ("429", 0, 0)),
    "503 of a proxy": (Raw("upstream connect error", 503, {"content-type": "text/plain"}), ("503", 0, 0)),
    "reset": (Reset(), LOST),
    "half of JSON": (Raw('{"choices": ['), LOST),
    "empty text": (Raw("", headers={"content-type": "text/plain"}), LOST),
    "HTML": (Raw("<html>Please wait</html>", headers={"content-type": "text/html"}), LOST),
    "null": (Raw(None), LOST),
    "list": (Raw([]), LOST),
    "number": (Raw("5"), LOST),
    "200 with an error": (Raw({"error": {"code": 502, "message": "Provider returned error"}}), None),
    "choices: null": (answer({}, choices=None), None),
    "choices: []": (answer({}, choices=[]), ("answered", 2, 1)),
    "choices: [null]": (answer({}, choices=[None]), None),
    "choices: [text]": (answer({}, choices=["줄"]), None),
    "choices: [{}]": (answer({}, choices=[{}]), None),
    "usage: text": (answer({"content": "줄"}, usage="many"), None),
    "message: text": (answer("줄"), None),
    "message: null": (answer(None), None),
    "content: number": (answer({"content": 5}), None),
    "content: object": (answer({"content": {"copies": ["줄"]}}), None),
}


@pytest.mark.parametrize(("failure", "entry"), FAILURES.values(), ids=FAILURES.keys())
def test_asks_again_where_it_may_help(store, failure, entry):
    with serve(after([failure] * 2)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert reply == Reply(["줄"], 2, 1)
    assert endpoint.log.requests == [body_of()] * 3
    *failed, answered = outcomes(store)
    assert answered == ("answered", 2, 1)
    assert failed == [entry] * 2 if entry else len(failed) == 2


def test_content_in_parts_is_read_or_asked_again(store):
    parts = answer({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "줄"}]})
    with serve(after([parts])) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert isinstance(reply, Reply) and reply.texts == ["줄"]


def test_asks_again_after_a_time_out_and_counts_it_at_its_most(store):
    waits = iter([3 * SHORT, 0, 0])

    def hang_once(body: dict[str, Any], number: int) -> str:
        time.sleep(next(waits))
        return "줄"

    with serve(hang_once) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of(), timeout=SHORT)
    assert reply == Reply(["줄"], 2, 1)
    assert outcomes(store) == [LOST, ("answered", 2, 1)]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (error(500, "overloaded"), "InternalServerError: .*overloaded"),
        (Raw("oops"), "garbage instead of JSON: oops"),
        (Raw([]), "garbage instead of a chat completion"),
        (answer({}, choices=[]), "garbage: an answer without choices"),
    ],
)
def test_gives_one_request_up_after_some_attempts_and_asks_it_again_in_another_run(store, failure, said):
    broken = [True]

    def write(body: dict[str, Any], number: int) -> Any:
        return failure if broken[0] and "나" in str(body) else "줄"

    with serve(write) as endpoint:
        (good, bad), _ = ask(endpoint.url, store, body_of("가"), body_of("나"))
        assert good.texts == ["줄"]
        assert bad == Reply([], failure=bad.failure)
        assert re.fullmatch(rf"{said}.* \({ATTEMPTS} attempts\)", bad.failure.message)
        assert bad.failure.kind is FailureKind.GAVE_UP and (bad.failure.status == 500) == ("InternalServer" in said)
        assert len(endpoint.log.requests) == 1 + ATTEMPTS
        broken[0] = False
        (again,), _ = ask(endpoint.url, store, body_of("나"))
    assert again.texts == ["줄"]


def test_one_prompt_that_always_times_out_stops_no_other(store, monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.client.ATTEMPTS", 2)

    def write(body: dict[str, Any], number: int) -> str:
        time.sleep(2 * SHORT if "끝없이" in str(body) else 0)
        return "줄"

    with serve(write) as endpoint:
        bodies = [body_of("끝없이"), *(body_of(str(number)) for number in range(5))]
        (hung, *others), _ = ask(endpoint.url, store, *bodies, timeout=SHORT, one_by_one=True)
    assert (
        isinstance(hung, Reply)
        and hung.texts == []
        and hung.failure == Failure(FailureKind.GAVE_UP, "time-out after 0.2 s (2 attempts)")
    )
    assert [reply.texts for reply in others] == [["줄"]] * 5


DATE = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize("header", ["0.3", format_datetime(DATE, usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
def test_is_silent_for_as_long_as_the_endpoint_asks(store, monkeypatch, header, status):
    monkeypatch.setattr("pipelines.endpoint.connection.time", SimpleNamespace(time=lambda: DATE.timestamp() - 0.3))
    arrived: list[float] = []

    def write(body: dict[str, Any], number: int) -> Any:
        arrived.append(time.monotonic())
        return error(status, headers={"retry-after": header}) if len(arrived) == 1 else "줄"

    with serve(write) as endpoint:
        replies, _ = ask(endpoint.url, store, *(body_of(str(number)) for number in range(4)), most=1)
    assert [reply.texts for reply in replies] == [["줄"]] * 4
    assert len(arrived) == 5
    assert arrived[1] - arrived[0] >= 0.29  # whoever waited, waits longer


@pytest.mark.parametrize("header", ["", "soon", "-5", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "2026-10-21T07:28:00Z"])
def test_is_not_silent_where_nobody_asks_for_it(store, monkeypatch, header):
    monkeypatch.setattr("pipelines.endpoint.rate_limiter.EPOCH_S", 60)
    failures = [error(429, headers={"retry-after": header}) for _ in range(3)]
    with serve(after(failures)) as endpoint:
        began = time.monotonic()
        (reply,), client = ask(endpoint.url, store, body_of(), most=10)
    assert reply.texts == ["줄"]
    assert time.monotonic() - began < 50  # less than an epoch of silence
    assert 10 * DECREASE < client.limiter.limit <= 10 * DECREASE + 1  # once, though there were three; then an answer


def test_an_endpoint_that_takes_two_at_a_time_answers_all_in_the_end(store, monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.rate_limiter.EPOCH_S", 0.01)
    busy: list[int] = []

    def write(body: dict[str, Any], number: int) -> Any:
        busy.append(1)
        try:
            time.sleep(0.005)
            return error(429, headers={"retry-after": "0.02"}) if len(busy) > 2 else "줄"
        finally:
            busy.pop()

    with serve(write) as endpoint:
        replies, client = ask(endpoint.url, store, *(body_of(str(number)) for number in range(60)), most=8)
    assert [reply.texts for reply in replies] == [["줄"]] * 60
    assert client.limiter.limit < 8


REFUSES = {
    "response_format": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
    "seed": "Unknown parameter: 'seed'.",
    "top_p": "Unsupported value: 'top_p' does not support 0.95 with this model. Only the default (1) is.",
    "temperature": "Unsupported value: 'temperature' does not support 0.8 with this model.",
}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("name", "message"), REFUSES.items())
def test_learns_once_what_to_do_without(store, name, message, status):
    def write(body: dict[str, Any], number: int) -> Any:
        return error(status, message, param=name, code="unsupported_parameter") if name in body else "줄"

    bodies = [{**FULL, "seed": seed} for seed in range(3)]
    with serve(write) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies, one_by_one=True)
    assert [reply.texts for reply in replies] == [["줄"]] * 3
    without = [{key: value for key, value in body.items() if key != name} for body in bodies]
    assert endpoint.log.requests == [bodies[0], *without]
    assert outcomes(store)[0] == (str(status), 0, 0)
    # The answer is kept under what was asked, not under what was sent.
    with serve(write) as endpoint:
        assert ask(endpoint.url, store, *bodies)[0] == replies
    assert endpoint.log.requests == []


def test_learns_the_other_name_of_max_tokens(store):
    def write(body: dict[str, Any], number: int) -> Any:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return error(400, said, param="max_tokens", code="unsupported_parameter") if "max_tokens" in body else "줄"

    bodies = [body_of(str(number)) for number in range(3)]
    with serve(write) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies, one_by_one=True)
    assert [reply.texts for reply in replies] == [["줄"]] * 3
    first, *others = endpoint.log.requests
    assert first == bodies[0]
    renamed = [{**body, "max_completion_tokens": 40} for body in bodies]
    assert others == [{key: value for key, value in body.items() if key != "max_tokens"} for body in renamed]


@pytest.mark.parametrize("code", ["invalid_value", 400, None])
def test_learns_that_one_choice_is_all(store, code):
    def write(body: dict[str, Any], number: int) -> Any:
        said = "Only one completion choice is allowed"
        return error(400, said, code=code) if body["n"] > 1 else "줄"

    bodies = [body_of(str(number), n=4) for number in range(3)]
    with serve(write) as endpoint:
        replies, client = ask(endpoint.url, store, *bodies, one_by_one=True)
    assert [reply.texts for reply in replies] == [["줄"]] * 3
    assert [request["n"] for request in endpoint.log.requests] == [4, 1, 1, 1]
    assert client.compatibility.choices == 1


def test_learns_all_at_once_and_while_others_are_in_flight(store):
    def write(body: dict[str, Any], number: int) -> Any:
        time.sleep(0.005)
        if "max_tokens" in body:
            return error(400, "'max_tokens' is not supported: use 'max_completion_tokens'")
        if body["n"] > 1:
            return error(400, "one choice, please")
        return next((error(400, message) for name, message in REFUSES.items() if name in body), "줄")

    bodies = [{**FULL, "seed": seed, "n": 2} for seed in range(30)]
    with serve(write) as endpoint:
        replies, _ = ask(endpoint.url, store, *bodies)
    assert [reply.texts for reply in replies] == [["줄"]] * 30
    assert endpoint.log.requests[-1].keys() == {"model", "messages", "n", "max_completion_tokens"}


def test_a_bad_request_fails_alone_and_at_once(store):
    said = "This model's maximum context length is 4096 tokens."

    def write(body: dict[str, Any], number: int) -> Any:
        return error(400, said, code="context_length_exceeded") if "나" in str(body) else "줄"

    with serve(write) as endpoint:
        (good, bad), _ = ask(endpoint.url, store, body_of("가"), body_of("나"))
    assert good.texts == ["줄"]
    assert bad.texts == [] and bad.failure.message.startswith("BadRequestError: ") and said in bad.failure.message
    assert bad.failure.label == "rejected 400"
    assert len(endpoint.log.requests) == 2


AZURE = {
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation"},
}


@pytest.mark.parametrize(
    "refusal",
    [
        Raw({"error": AZURE}, 400),
        answer({"content": ""}, choices=[{"finish_reason": "content_filter", "message": {"content": ""}}]),
        answer({"content": ""}, choices=[{"finish_reason": "content_filter", "message": {"content": None}}]),
        answer({"content": ""}, choices=[{"finish_reason": "content_filter", "message": {}}]),
    ],
    ids=["Azure", "empty", "null", "missing"],
)
def test_a_content_filter_is_a_refusal_and_is_not_asked_again(store, refusal):
    with serve(lambda body, number: refusal if "담배" in str(body) else "줄") as endpoint:
        (refused, good), _ = ask(endpoint.url, store, body_of("담배"), body_of("커피"), one_by_one=True)
    assert refused.texts == [] and refused.failure == Failure(FailureKind.REFUSED)
    assert good.texts == ["줄"]
    assert endpoint.log.requests == [body_of("담배"), body_of("커피")]


def test_what_passed_the_content_filter_is_kept(store):
    choices = [
        {"finish_reason": "content_filter", "message": {"content": None}},
        {"finish_reason": "stop", "message": {"content": "줄"}},
    ]
    with serve(lambda body, number: answer({}, choices=choices)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of(n=2))
    assert (reply.texts, reply.failure) == (["", "줄"], None)


def test_a_refusal_beside_the_content_is_read(store):
    said = "죄송합니다. 도와드릴 수 없습니다."
    with serve(lambda body, number: answer({"content": None, "refusal": said})) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert reply == Reply([], reply.input_tokens, reply.output_tokens, failure=Failure(FailureKind.REFUSED, said))


def test_half_a_character_becomes_storable(store):
    with serve(lambda body, number: "불\ud83d") as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
        (again,), _ = ask(endpoint.url, store, body_of())
    assert reply.texts[0].startswith("불\ufffd") and reply.texts[0].encode()
    assert again == reply


@pytest.mark.parametrize(
    "failure",
    [
        error(401, "Incorrect API key provided"),
        error(403, "You have no access"),
        error(404, "The model `gpt-99` does not exist", code="model_not_found"),
        error(429, "You exceeded your current quota", code="insufficient_quota"),
    ],
    ids=["401", "403", "404", "quota"],
)
def test_an_endpoint_that_will_never_answer_is_not_asked_on(store, failure):
    def write(body: dict[str, Any], number: int) -> Any:
        time.sleep(0.01)
        return failure

    with serve(write) as endpoint:
        raised, _ = ask(endpoint.url, store, *(body_of(str(number)) for number in range(50)), most=2)
    assert {type(error) for error in raised} == {EndpointGoneError}
    (message,) = {str(error) for error in raised}
    assert failure.content["error"]["message"] in message
    assert len(endpoint.log.requests) <= 2


def test_an_endpoint_that_goes_away_is_given_up_by_all(store):
    with serve(after(["줄"] * 3, then=Reset())) as endpoint:
        replies, _ = ask(endpoint.url, store, *(body_of(str(number)) for number in range(50)), most=2)
    assert [reply.texts for reply in replies if isinstance(reply, Reply)] == [["줄"]] * 3
    raised = [reply for reply in replies if not isinstance(reply, Reply)]
    assert {type(error) for error in raised} == {EndpointGoneError} and len(raised) == 47
    assert {str(error) for error in raised} == {"APIConnectionError: Connection error."}
    assert len(endpoint.log.requests) <= 3 + 2 * 30  # nobody tries once the first thirty in a row have failed


def test_an_endpoint_that_is_down_is_named_with_the_next_step(store):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    raised, _ = ask(url, store, *(body_of(str(number)) for number in range(20)))
    assert {type(error) for error in raised} == {EndpointGoneError}
    (message,) = {str(error) for error in raised}
    assert message.startswith(f"the endpoint does not answer: {url}")
    assert {error.next_step for error in raised} == {START}
    assert KEY not in message
    assert outcomes(store) == []


def test_a_refused_key_is_named_without_the_key(store):
    with serve(lambda body, number: "줄") as endpoint:
        (raised,), _ = ask(endpoint.url, store, body_of(), key="sk-wrong")
    assert isinstance(raised, EndpointGoneError)
    assert str(raised) == (
        "the endpoint refuses the key: AuthenticationError: Error code: 401 - Incorrect API key provided"
    )
    assert raised.failure == Failure(FailureKind.GONE, str(raised), 401, step_after(401))
    assert "`api_key_env`" in raised.next_step
    assert outcomes(store) == [("401", 0, 0)]


@pytest.mark.field
@pytest.mark.parametrize(
    ("key", "part"),
    [("sk-secret\r", "secret"), ("sk-sec\nret", "sec"), ("sk-'sec\"ret\r", "sec"), ("sk-비밀열쇠", "비밀")],
)
def test_a_key_that_no_header_holds_is_not_shown(store: Store, key: str, part: str) -> None:
    with serve(lambda body, number: "줄") as endpoint:
        (raised,), _ = ask(endpoint.url, store, body_of(), key=key)
    assert isinstance(raised, EndpointGoneError)
    assert str(raised).startswith(f"the endpoint does not answer: {endpoint.url}")
    assert part not in str(raised) and repr(part)[1:-1] not in str(raised)
    assert endpoint.log.requests == []


def test_a_word_that_stands_for_no_key_is_left_as_it_is() -> None:
    error = openai.OpenAIError("none of them, sk-12345")
    for key, words in (("none", "none of them, sk-12345"), ("sk-12345", "none of them, …")):
        assert Connection(openai.AsyncOpenAI(api_key=key), 1).in_words(error) == f"OpenAIError: {words}"


@pytest.mark.field
def test_what_is_kept_meanwhile_and_of_no_use_is_asked_for_within_the_ledger(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def probe(client: Client) -> None:
        """Another process, of an earlier version, was quicker."""
        client.store.keep(client.key_of(body_of()), {"texts": [""], "input_tokens": 1, "output_tokens": 0})

    monkeypatch.setattr(Client, "_probe", probe)
    with serve(lambda body, number: "줄") as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of(), caps=Caps(requests=1))
    assert (reply.texts, len(endpoint.log.requests)) == (["줄"], 1)
    assert outcomes(store) == [("answered", 2, 1)]


LISTS = {
    "403": error(403, "Missing scopes: api.model.read"),
    "401": error(401),
    "404": error(404),
    "405": error(405),
    "429": error(429),
    "500": error(500),
    "501": error(501),
    "503": error(503, "loading"),
    "HTML": Raw("<html>Welcome</html>", headers={"content-type": "text/html"}),
    "HTML 500": Raw("<html>Oops</html>", 500, headers={"content-type": "text/html"}),
    "no JSON": Raw("Welcome"),
    "bare list": Raw([{"id": MODEL, "object": "model"}]),
    "null": Raw(None),
    "data: null": Raw({"data": None}),
    "reset": Reset(),
}


@pytest.mark.field
@pytest.mark.parametrize("models", LISTS.values(), ids=LISTS.keys())
def test_only_its_work_decides_whether_an_endpoint_works(store, models):
    with serve(lambda body, number: "줄", models=models) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
    assert isinstance(reply, Reply) and reply.texts == ["줄"]


def test_the_limits_hold(store):
    with serve(lambda body, number: "줄") as endpoint:
        replies, client = ask(
            endpoint.url, store, *(body_of(str(number)) for number in range(10)), caps=Caps(requests=3)
        )
        assert len(endpoint.log.requests) == 3
        spent = [reply for reply in replies if isinstance(reply, BudgetSpentError)]
        assert len(spent) == 7 and {str(error) for error in spent} == {"max_requests = 3 (3 sent)"}
        # Another process of the same run has the same limits, and what was answered costs nothing.
        replies, _ = ask(endpoint.url, store, *(body_of(str(number)) for number in range(10)), caps=Caps(requests=4))
    assert sum(isinstance(reply, Reply) for reply in replies) == 4
    assert len(endpoint.log.requests) == 4
    assert client.budget.spent == Spent(3, 3, 3)


@pytest.mark.parametrize("usage", [{"usage": None}, {"usage": {}}, {}], ids=str)
def test_an_answer_that_tells_no_tokens_counts_at_its_most(store, usage):
    told = completion(body_of(), ["줄"])
    del told["usage"]
    told |= usage
    with serve(lambda body, number: Raw(told)) as endpoint:
        (reply,), client = ask(endpoint.url, store, body_of(), price=Price(1.0, 10.0))
    assert reply.texts == ["줄"]
    most = most_input_tokens(body_of()["messages"])
    assert client.budget.spent == Spent(1, most, 40, pytest.approx((most + 400) / 1e6))


def write_lines(url: str, folder: Path, wanted: int) -> Completion:
    llm = teacher_at(url, folder)
    llm.load()
    messages = body_of()["messages"]
    return asyncio.run(llm.write(messages, wanted, lines_of, **llm.get_generation_kwargs()))


@pytest.mark.parametrize("garbage", ["asdf", '{"copies": [', "```json\n```"])
def test_garbage_is_asked_again_with_other_seeds_and_kept(tmp_path, garbage):
    lines = json.dumps({"copies": ["향이 먼저 깬다", "컵이 늦다"]})
    with serve(after([garbage] * (SENSELESS - 1), then=lines)) as endpoint:
        completion = write_lines(endpoint.url, tmp_path, 2)
        assert (completion.texts, completion.failure) == (["향이 먼저 깬다", "컵이 늦다"], None)
        seeds = [request["seed"] for request in endpoint.log.requests]
        assert len(set(seeds)) == len(seeds) == SENSELESS
        others = [{**request, "seed": 0} for request in endpoint.log.requests]
        assert others == [others[0]] * SENSELESS
        assert write_lines(endpoint.url, tmp_path, 2) == completion
        assert len(endpoint.log.requests) == SENSELESS
    assert completion.output_tokens == len(garbage) * (SENSELESS - 1) + len(lines)


def test_garbage_for_ever_is_given_up(tmp_path):
    with serve(lambda body, number: "asdf") as endpoint:
        completion = write_lines(endpoint.url, tmp_path, 2)
        assert (completion.texts, completion.failure) == ([], UNUSABLE)
        assert len(endpoint.log.requests) == SENSELESS
        assert write_lines(endpoint.url, tmp_path, 2) == completion
        assert len(endpoint.log.requests) == SENSELESS


def test_the_same_line_for_ever_is_given_up_with_the_line(tmp_path):
    with serve(lambda body, number: '{"copies": ["향이 먼저 깬다"]}') as endpoint:
        completion = write_lines(endpoint.url, tmp_path, 3)
    assert (completion.texts, completion.failure) == (["향이 먼저 깬다"], UNUSABLE)
    assert len(endpoint.log.requests) == 1 + SENSELESS


def test_half_of_the_lines_are_not_worth_another_prompt(tmp_path):
    with serve(lambda body, number: '{"copies": ["향이 먼저 깬다"]}') as endpoint:
        completion = write_lines(endpoint.url, tmp_path, 2)
    assert (completion.texts, completion.failure) == (["향이 먼저 깬다"], None)
    assert len(endpoint.log.requests) == 1


def test_too_many_requests_use_up_patience_and_not_attempts(store, monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.client.ATTEMPTS", 2)
    with serve(after([error(429, "slow down")] * 6)) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of())
        assert reply.texts == ["줄"] and len(endpoint.log.requests) == 7
    monkeypatch.setattr("pipelines.endpoint.client.PATIENCE_S", 0.1)
    with serve(lambda body, number: error(429, "slow down")) as endpoint:
        (reply,), _ = ask(endpoint.url, store, body_of("다른 것"))
    assert reply.texts == [] and "slow down" in reply.failure.message


def test_one_prompt_that_is_forbidden_stops_no_other(store):
    def write(body: dict[str, Any], number: int) -> Any:
        return error(403, "flagged by moderation") if "나" in str(body) else "줄"

    with serve(write) as endpoint:
        (first, flagged, last), _ = ask(
            endpoint.url, store, body_of("가"), body_of("나"), body_of("다"), one_by_one=True
        )
    assert first.texts == last.texts == ["줄"]
    assert flagged.texts == [] and "flagged by moderation" in flagged.failure.message


def test_a_refusal_in_words_is_not_asked_again(tmp_path):
    with serve(lambda body, number: "죄송합니다. 담배 광고는 도와드릴 수 없습니다.") as endpoint:
        completion = write_lines(endpoint.url, tmp_path, 2)
    assert (completion.texts, completion.failure) == (
        [],
        Failure(FailureKind.REFUSED, "죄송합니다. 담배 광고는 도와드릴 수 없습니다."),
    )
    assert len(endpoint.log.requests) == 1
