"""What a client keeps of token probabilities, and what it learns of endpoints that give few or none."""

from __future__ import annotations

import json
import math
import sqlite3
from typing import Any

import pytest

from pipelines.endpoint.answers.replies import Reply
from pipelines.endpoint.failures import EndpointGoneError
from pipelines.endpoint.spending.answer_store import key_of
from tests.model_card.judging.judge_server import REASON, judging
from tests.pipelines.endpoint.teacher_server import serve
from tests.pipelines.endpoint.test_client import after, answer, ask, body_of, error

WEIGHTS = {3: 0.25, 4: 0.75}
WEIGHED = body_of(temperature=0.0, logprobs=True, top_logprobs=20)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)


def test_keeps_tokens_and_the_alternatives_to_digits(store):
    with judging(lambda prompt: WEIGHTS) as endpoint:
        (reply,), _ = ask(endpoint.url, store, WEIGHED)
        (again,), _ = ask(endpoint.url, store, WEIGHED)
        assert len(endpoint.requests) == 1
    (tokens,) = reply.tokens
    assert reply.texts == [json.dumps({"reason": REASON, "score": 4}, ensure_ascii=False)]
    assert {token: dict(weights) for token, weights in tokens if weights} == {
        "4": {"4": pytest.approx(math.log(0.75)), "3": pytest.approx(math.log(0.25))}
    }
    assert len(tokens) > len(reply.texts[0])  # a syllable is two
    assert again == reply and again.kept and not reply.kept
    with sqlite3.connect(store.path) as file:
        ((size,),) = file.execute("select length(body) from answers").fetchall()
    assert size < 40 * len(tokens)


def test_keeps_no_tokens_where_none_were_asked_for(store):
    said = {"content": [{"token": "4", "logprob": 0.0, "top_logprobs": [{"token": "4", "logprob": 0.0}]}]}
    choice = {"finish_reason": "stop", "message": {"content": "4"}, "logprobs": said}
    with serve(lambda body, number: answer({}, choices=[choice])) as endpoint:
        (reply, weighed), _ = ask(endpoint.url, store, body_of(), WEIGHED)
    assert (reply.tokens, weighed.tokens) == ([], [[("4", {"4": 0.0})]])


@pytest.mark.parametrize(
    "said",
    [None, {}, {"content": None}, {"content": []}, {"tokens": ["4"], "token_logprobs": [0.0]}],
)
def test_an_answer_without_probabilities_has_no_tokens(store, said):
    choice = {"finish_reason": "stop", "message": {"content": "4"}, "logprobs": said}
    with serve(lambda body, number: answer({}, choices=[choice])) as endpoint:
        (reply,), _ = ask(endpoint.url, store, WEIGHED)
    assert (reply.texts, reply.tokens, reply.failure) == (["4"], [], None)


@pytest.mark.parametrize("said", [4, {"content": [4]}, {"content": [{"logprob": 0.0}]}, {"content": [{"token": None}]}])
def test_garbage_for_probabilities_is_asked_for_again(store, said):
    choice = {"finish_reason": "stop", "message": {"content": "4"}, "logprobs": said}
    with serve(after([answer({}, choices=[choice])], "5")) as endpoint:
        (reply,), _ = ask(endpoint.url, store, WEIGHED)
    assert reply.texts == ["5"]


def test_alternatives_that_are_missing_or_impossible(store):
    tokens = [
        {"token": "4", "logprob": -math.inf, "top_logprobs": None},
        {"token": " 5\n", "top_logprobs": [{"token": "5", "logprob": -math.inf}, {"token": "6", "logprob": None}]},
    ]
    choice = {"finish_reason": "stop", "message": {"content": "4 5"}, "logprobs": {"content": tokens}}
    with serve(lambda body, number: answer({}, choices=[choice])) as endpoint:
        (reply,), _ = ask(endpoint.url, store, WEIGHED)
        (again,), _ = ask(endpoint.url, store, WEIGHED)
    assert reply.tokens == [[("4", {}), (" 5\n", {"5": -math.inf})]]
    assert again == reply


def test_a_reply_that_was_kept_before_there_were_tokens(store):
    store.keep(key_of("who", WEIGHED), {"texts": ["4"], "input_tokens": 1, "output_tokens": 2, "failure": ""})
    (reply,), _ = ask("http://127.0.0.1:1/v1", store, WEIGHED)
    assert reply == Reply(["4"], 1, 2) and reply.kept
    old: dict[str, Any] = {"texts": ["4"], "input_tokens": 1, "output_tokens": 2, "failure": "", "kept": False}
    store.keep(key_of("who", WEIGHED), old)
    assert ask("http://127.0.0.1:1/v1", store, WEIGHED)[0] == [reply]


def test_a_failure_that_was_kept_in_words_is_asked_for_again(store):
    words = {"texts": [], "input_tokens": 1, "output_tokens": 0, "failure": "refused: no"}
    store.keep(key_of("who", WEIGHED), words)
    with serve(lambda body, number: "4") as endpoint:
        (reply,), _ = ask(endpoint.url, store, WEIGHED)
    assert reply.texts == ["4"] and reply.failure is None


@pytest.mark.parametrize(
    ("logprobs", "sent"),
    [
        ("served", {"logprobs": True, "top_logprobs": 20}),
        ("few", {"logprobs": True, "top_logprobs": 5}),
        ("refused", {}),
        ("forbidden", {}),
    ],
)
def test_learns_what_the_endpoint_gives_and_keeps_it(store, logprobs, sent):
    other = {**WEIGHED, "seed": 8}
    with judging(lambda prompt: WEIGHTS, logprobs=logprobs) as endpoint:
        (first,), _ = ask(endpoint.url, store, WEIGHED)
        (second,), client = ask(endpoint.url, store, other)
    assert [{name: body[name] for name in body if "logprobs" in name} for body in endpoint.requests] == [sent, sent]
    assert bool(first.tokens) == bool(second.tokens) == bool(sent)
    assert client.budget.spent.requests == 2 + {"served": 0, "few": 1}.get(logprobs, 2)


def test_another_forbidden_request_still_means_the_key(store):
    with serve(lambda body, number: error(403, "no access to this model")) as endpoint:
        (raised,), _ = ask(endpoint.url, store, WEIGHED)
    assert isinstance(raised, EndpointGoneError)
