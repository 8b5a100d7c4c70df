"""Synthesis through a provider's Batch API."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from pipelines.endpoint.answers.json_answers import lines_form
from pipelines.endpoint.batch import filling, hooks
from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.spending.answer_store import Batch, Spent, Store
from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.spending.prices import Price
from pipelines.endpoint.streaming import Request, Response, stream_answers
from pipelines.endpoint.teacher_llm import Teacher
from tests.pipelines.endpoint.batch.batch_server import Provider, provide
from tests.pipelines.endpoint.teacher_server import MODEL, completion
from tests.pipelines.endpoint.teachers import teacher_at

QUESTIONS = [Request([{"role": "user", "content": f"상품 {number}"}], 0, {"turn": number}) for number in range(5)]
LINES = '{"copies": ["컵이 늦다", "향이 먼저 깬다"]}'
BODY = {"model": MODEL, "messages": QUESTIONS[0].messages, "n": 1, "max_tokens": 4, "seed": 1}


def teacher(provider: Provider, folder: Path, caps: Caps | None = None, **options: Any) -> Teacher:
    options = {"identity": "provider", "batch_poll_s": 1, "price": Price(1.0, 2.0), "timeout": 5} | options
    llm = teacher_at(provider.url, folder, caps=caps or Caps(), **options)
    llm.max_retries = 0
    return llm


def ask(llm: Teacher, wanted: int = 2) -> list[Response]:
    llm.load()
    return sorted(
        chain.from_iterable(
            stream_answers(llm, iter(QUESTIONS), lambda: len(QUESTIONS), wanted, lines_form(wanted, 40))
        ),
        key=lambda a: a.about["turn"],
    )


def failures(found: list[Response]) -> list[str]:
    return [str(response.completion.failure or "") for response in found]


def lines(body: dict) -> str:
    return f'{{"copies": ["{body["messages"][0]["content"]} 아침", "밤 {body["seed"]}"]}}'


def is_of(number: int, body: dict) -> bool:
    return body["messages"][0]["content"] == f"상품 {number}"


def ledger(folder: Path) -> list[tuple]:
    """Run, tokens of prompt and answer, outcome."""
    with sqlite3.connect(folder / "answers.sqlite") as file:
        return file.execute("select run, input_tokens, output_tokens, outcome from requests order by id").fetchall()


def under_way(folder: Path, identity: str = "provider") -> list[Batch]:
    return Store(folder / "answers.sqlite").batches(identity)


def test_one_batch_answers_all_and_is_never_sent_again(tmp_path: Path) -> None:
    with provide(lines, looks=1) as provider:
        found = ask(teacher(provider, tmp_path))
        assert [response.completion.texts[0] for response in found] == [f"상품 {number} 아침" for number in range(5)]
        assert all(response.completion.failure is None for response in found)
        assert len(provider.batches) == 1 and len(provider.bodies) == 5
        assert len({body["seed"] for body in provider.bodies}) == 5
        assert provider.bodies[0]["response_format"]["type"] == "json_schema"
        again = ask(teacher(provider, tmp_path))
        assert again == found and len(provider.batches) == 1
    spent = Store(tmp_path / "answers.sqlite").spent("run")
    assert (spent.requests, spent.output_tokens) == (5, sum(len(lines(body)) for body in provider.bodies))
    assert spent.usd == pytest.approx((spent.input_tokens + 2 * spent.output_tokens) / 1e6)
    assert {row[3] for row in ledger(tmp_path)} == {"answered"} and under_way(tmp_path) == []


def test_garbage_makes_a_second_batch_of_its_own(tmp_path: Path) -> None:
    seen: set[str] = set()

    def once_garbage(body: dict) -> str:
        text = body["messages"][0]["content"]
        first = text == "상품 3" and text not in seen
        seen.add(text)
        return '{"copies": [' if first else lines(body)

    with provide(once_garbage) as provider:
        found = ask(teacher(provider, tmp_path))
    assert all(len(response.completion.texts) == 2 for response in found)
    assert len(provider.batches) == 2 and len(provider.bodies) == 6


def test_a_line_separator_in_an_answer_does_not_end_its_row(tmp_path: Path) -> None:
    with provide(lambda body: lines(body) + " \u2028\u2029\x85") as provider:
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 1 and "\u2028" in provider.files["output-batch-0"]


def test_a_request_that_fails_stays_with_its_pair_and_costs_nothing(tmp_path: Path) -> None:
    with provide(lambda body: None if is_of(1, body) else lines(body)) as provider:
        found = ask(teacher(provider, tmp_path))
        assert len(provider.bodies) == 5 + 2  # what the server failed at is asked again
    assert [bool(response.completion.texts) for response in found] == [True, False, True, True, True]
    assert str(found[1].completion.failure) == "its batch brought no answer: The server had an error"
    assert [row for row in ledger(tmp_path) if row[3] != "answered"] == [("run", 0, 0, "500")] * 3
    assert Store(tmp_path / "answers.sqlite").spent("run").output_tokens == sum(
        len(lines(body)) for body in provider.bodies if not is_of(1, body)
    )


def test_a_refused_request_is_not_asked_again(tmp_path: Path) -> None:
    def moody(body: dict) -> Any:
        if is_of(1, body):
            return 400, {"message": "Too long a prompt", "code": "context_length_exceeded"}
        if is_of(2, body):
            return 400, {"message": "The prompt was filtered", "code": "content_filter"}
        return lines(body)

    with provide(moody) as provider:
        found = ask(teacher(provider, tmp_path))
        assert len(provider.batches) == 1 and len(provider.bodies) == 5
    assert failures(found) == ["", "its batch brought no answer: Too long a prompt", "refused: ", "", ""]
    assert sorted(row[1:] for row in ledger(tmp_path))[:2] == [(0, 0, "400")] * 2


def test_a_batch_learns_from_its_refusals_what_the_provider_takes(tmp_path: Path) -> None:
    def reasoning(body: dict) -> Any:
        hints = {"max_tokens": "Use 'max_completion_tokens' instead.", "temperature": "", "seed": ""}
        for name, instead in hints.items():
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model. {instead}"
                return 400, {"message": message, "param": name, "code": "unsupported_parameter"}
        return lines({**body, "seed": 0})

    with provide(reasoning) as provider:
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 4
        last = provider.bodies[-1]
        assert last["max_completion_tokens"] > 0 and last["top_p"] == 0.95
        assert not {"max_tokens", "temperature", "seed"} & last.keys()
        llm = teacher(provider, tmp_path)
        llm.seed = 8
        ask(llm)
        assert len(provider.batches) == 5  # the next process knows
    assert sum(row[1:] == (0, 0, "400") for row in ledger(tmp_path)) == 15


def test_a_batch_under_way_is_waited_for_and_not_sent_again(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path)
        llm.load()
        client = llm.open()
        client.missing = {"key": BODY}
        filling._send(client)
        (batch,) = under_way(tmp_path)
        assert (batch.jobs, batch.keys) == (["batch-0"], ["key"])
        assert provider.batches["batch-0"]["metadata"] == {"hanjul_batch": batch.id}
        ask(teacher(provider, tmp_path, run_id="another"))
        assert len(provider.batches) == 2  # the one that was under way, read, and the one for the five questions
        assert under_way(tmp_path) == []
        client.store.finish_batch(batch, {}, [])
        asyncio.run(filling._finish(client, batch))  # as one that waited for it too
        assert under_way(tmp_path) == [] and len(provider.batches) == 2
    assert Store(tmp_path / "answers.sqlite").answer("key")["texts"]
    assert ledger(tmp_path)[0] == ("run", 4, len(lines(BODY)), "answered")
    assert [row[0] for row in ledger(tmp_path)] == ["run"] + ["another"] * 5


def test_two_processes_at_once_send_one_batch_and_read_it_both(tmp_path: Path) -> None:
    def slow(method: str, path: str) -> None:
        if path == "/v1/files":
            time.sleep(0.2)  # the other finds no batch meanwhile

    with provide(lines, looks=1, fault=slow) as provider:
        found: list[list[Response]] = []
        llms = [teacher(provider, tmp_path, run_id=run) for run in ("one", "other")]
        threads = [threading.Thread(target=lambda llm=llm: found.append(ask(llm))) for llm in llms]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(provider.batches) == 1 and len(provider.bodies) == 5
    assert found[0] == found[1] and failures(found[0]) == [""] * 5
    assert len(ledger(tmp_path)) == 5 and {row[3] for row in ledger(tmp_path)} == {"answered"}


def test_each_batch_has_a_row_of_its_own(tmp_path: Path) -> None:
    one, other = (Store(tmp_path / "answers.sqlite") for _ in range(2))
    first = one.plan_batch("run", "a", {"x": Spent(1, 2, 3, 4.0)})
    second = other.plan_batch("run", "a", {"y": Spent(1, 5, 6, 7.0), "z": Spent(1, 1, 1, 1.0)})
    elsewhere = other.plan_batch("run", "b", {"x": Spent(1, 1, 1, 1.0)})
    assert len({first.id, second.id, elsewhere.id}) == 3
    assert (first.jobs, first.keys, second.keys) == ([], ["x"], ["y", "z"])
    assert len({*first.ledger, *second.ledger, *elsewhere.ledger}) == 4
    assert one.batches("a") == [first, second] and one.batches("b") == [elsewhere]
    one.note_jobs(first, ["batch-0", "batch-1"])
    outcomes = [(second.ledger[0], "answered", None), (second.ledger[1], "400", Spent(1))]
    for store in (other, one):
        store.finish_batch(second, {"y": {"texts": ["밤"]}}, outcomes)
        assert store.batches("a") == [Batch(first.id, ["batch-0", "batch-1"], ["x"], first.ledger)]
    assert one.answer("y") == {"texts": ["밤"]} and one.answer("z") is None
    assert one.spent("run") == Spent(4, 8, 10, 12.0)
    one.drop_batch(elsewhere)
    assert other.batches("b") == [] and other.spent("run") == Spent(3, 7, 9, 11.0)


def test_a_batch_is_finished_wholly_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "answers.sqlite")
    batch = store.plan_batch("run", "a", {"x": Spent(1, 2, 3, 4.0), "y": Spent(1)})
    with pytest.raises(TypeError):
        store.finish_batch(batch, {"x": {"texts": []}, "y": object()}, [(batch.ledger[0], "answered", Spent(1))])
    assert store.answer("x") is None and store.batches("a") == [batch]
    assert store.spent("run") == Spent(2, 2, 3, 4.0)


def killed(*args: Any) -> Any:
    raise RuntimeError("killed")


def test_a_kill_before_the_batch_was_noted_does_not_pay_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provide(lines) as provider:
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
            patch.setattr(Store, "note_jobs", killed)
            ask(teacher(provider, tmp_path))
        assert len(provider.batches) == 1 and [batch.jobs for batch in under_way(tmp_path)] == [[]]
        for _ in range(3):  # of others at the provider
            provider.post("/v1/batches", '{"input_file_id": "file-0", "completion_window": "24h", "endpoint": '
                          '"/v1/chat/completions", "metadata": {"hanjul_batch": "another"}}')  # fmt: skip
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 4 and len(provider.bodies) == 5
    assert under_way(tmp_path) == [] and len(ledger(tmp_path)) == 5


def test_a_kill_before_the_batch_was_made_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provide(lines) as provider:
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
            patch.setattr(hooks.BatchHooks, "create_jobs", killed)
            ask(teacher(provider, tmp_path))
        assert provider.batches == {} and len(under_way(tmp_path)[0].keys) == 5
        assert failures(ask(teacher(provider, tmp_path, Caps(requests=5)))) == [""] * 5
        assert len(provider.batches) == 1
    assert under_way(tmp_path) == [] and len(ledger(tmp_path)) == 5


def test_a_batch_that_was_made_behind_a_broken_gateway_is_found(tmp_path: Path) -> None:
    with provide(lines, fault=lambda *asked: 502 if asked == ("POST", "/v1/batches") else None) as provider:
        llm = teacher(provider, tmp_path)
        llm.max_retries = 2  # as distilabel would
        assert failures(ask(llm)) == [""] * 5
        assert len(provider.batches) == 1
    assert len(ledger(tmp_path)) == 5


def test_a_plan_stays_while_the_provider_does_not_say(tmp_path: Path) -> None:
    with provide(lines, fault=lambda method, path: 500 if path.startswith("/v1/batches") else None) as provider:
        (failure,) = set(failures(ask(teacher(provider, tmp_path))))
        assert failure == (
            "gone: it is not known whether the provider took the last batch: InternalServerError: Error code: 500 - "
            "Bad gateway → run it again, which looks for it first"
        )
        assert len(under_way(tmp_path)) == 1
        provider.fault = lambda method, path: None
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 1 and len(provider.bodies) == 5


def test_results_that_cannot_be_had_stay_under_way(tmp_path: Path) -> None:
    with provide(lines, fault=lambda method, path: 500 if path.startswith("/v1/files/") else None) as provider:
        (failure,) = set(failures(ask(teacher(provider, tmp_path))))
        assert failure.startswith("gone: the batch batch-0 cannot be read: InternalServerError: ")
        assert failure.endswith("it is still noted as under way → run it again, with the key that sent it")
        provider.fault = lambda method, path: None
        whole, provider.files["output-batch-0"] = provider.files["output-batch-0"], '{"custom_id": "0", "resp'
        (failure,) = set(failures(ask(teacher(provider, tmp_path))))
        assert failure.startswith("gone: the batch batch-0 cannot be read: garbage instead of JSONL: ")
        assert [batch.jobs for batch in under_way(tmp_path)] == [["batch-0"]]
        assert {row[3] for row in ledger(tmp_path)} == {"sent"}
        provider.files["output-batch-0"] = whole
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 1
    assert under_way(tmp_path) == []


@pytest.mark.parametrize(("ends", "outcome"), [("expired", "batch_expired"), ("cancelled", "unanswered")])
def test_a_batch_that_stopped_early_keeps_what_was_paid(tmp_path: Path, ends: str, outcome: str) -> None:
    with provide(lines, ends=ends, runs=3) as provider:
        found = ask(teacher(provider, tmp_path))
        stopped = f"gone: the batch batch-0 is {ends}, 3 of its 5 requests were answered → run it again to ask for the "
        assert sorted(failures(found)) == ["", "", ""] + [f"{stopped}others"] * 2
        assert sorted(row[3] for row in ledger(tmp_path)) == sorted(["answered"] * 3 + [outcome] * 2)
        assert [row[1:3] for row in ledger(tmp_path) if row[3] == outcome] == [(0, 0)] * 2
        assert under_way(tmp_path) == []
        provider.ends, provider.runs = "completed", None
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 2 and len(provider.bodies) == 5


def test_an_early_batch_that_stopped_does_not_keep_back_the_next(tmp_path: Path) -> None:
    with provide(lines, ends="expired", runs=1) as provider:
        llm = teacher(provider, tmp_path)
        llm.load()
        client = llm.open()
        client.missing = {"a": BODY, "b": {**BODY, "seed": 2}}
        filling._send(client)
        provider.get("/v1/batches/batch-0", {})
        provider.ends, provider.runs = "completed", None
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
    assert client.store.answer("a")["texts"] and client.store.answer("b") is None


def test_a_batch_that_the_provider_refuses_says_why(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path, model="copywriter-2")
        (failure,) = set(failures(ask(llm)))
    assert failure == (
        "gone: the provider refused the batch batch-0: The provided model 'copywriter-2' is not supported by the Batch "
        "API. → mend that, or ask without `--batch`"
    )
    assert [row[1:] for row in ledger(tmp_path)] == [(0, 0, "unanswered")] * 5


def test_an_answer_in_another_form_may_have_cost_the_most(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path)
        llm.load()
        client = llm.open()
        client.missing = {"a": BODY, "b": BODY}
        filling._send(client)
        provider.get("/v1/batches/batch-0", {})
        rows = [
            {"custom_id": str(place), "response": {"status_code": 200, "body": {"choices": choices}}}
            for place, choices in enumerate(([], [{"message": {"content": "밤"}}]))
        ]
        provider.files["output-batch-0"] = "\n".join(map(json.dumps, rows))
        before = [row[1:3] for row in ledger(tmp_path)]
        asyncio.run(filling._finish(client, client.store.batches("provider")[0]))
    assert client.store.answer("a") is None and client.store.answer("b")["texts"] == ["밤"]
    assert [row[1:3] for row in ledger(tmp_path)] == before and min(min(pair) for pair in before) > 0
    assert {row[3] for row in ledger(tmp_path)} == {"answered"}


def test_two_refusals_of_one_kind_teach_one_thing(tmp_path: Path) -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    with provide(lambda body: (400, {"message": message})) as provider:
        llm = teacher(provider, tmp_path)
        llm.load()
        client = llm.open()
        client.missing = {"a": {**BODY, "n": 2}, "b": {**BODY, "n": 2, "seed": 2}}
        filling._send(client)
        assert asyncio.run(filling._finish_all(client)) is True
    taught = client.compatibility.sendable(client.missing["a"])
    assert (taught["n"], taught["max_completion_tokens"], client.final) == (2, 4, set())
    assert client.budget.spent == Spent(2, 0, 0, 0.0)


def test_what_another_process_did_meanwhile_counts(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path, Caps(requests=1))
        llm.load()
        client = llm.open()
        client.missing = {"a": BODY}
        other = Store(tmp_path / "answers.sqlite")
        other.keep("a", {"texts": ["밤"]})
        filling._send(client)
        client.missing = {"b": BODY}
        other.note_sent("run", "a", Spent(1, 2, 3, 4.0))
        with pytest.raises(BudgetSpentError, match="max_requests = 1"):
            filling._send(client)
        assert provider.batches == provider.files == {}


def test_what_another_process_sends_while_files_go_out_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path, Caps(requests=2))
        llm.load()
        client = llm.open()
        client.missing = {"a": BODY, "b": BODY}
        upload = Teacher._create_batch_files

        def slowly(self: Teacher, inputs: list[Any], **options: Any) -> list[Any]:
            Store(tmp_path / "answers.sqlite").note_sent("run", "c", Spent(1, 2, 3, 4.0))
            return upload(self, inputs=inputs, **options)

        monkeypatch.setattr(Teacher, "_create_batch_files", slowly)
        with pytest.raises(BudgetSpentError, match=r"max_requests = 2 \(1 sent\)"):
            filling._send(client)
        assert provider.batches == {} and under_way(tmp_path) == []


def test_limits_hold_before_a_batch_is_sent(tmp_path: Path) -> None:
    with provide(lines) as provider:
        found = ask(teacher(provider, tmp_path, Caps(requests=3)))
        assert len(provider.bodies) == 3
    assert sorted(failures(found)) == ["", "", ""] + ["limit: max_requests = 3 (3 sent)"] * 2


def test_a_provider_without_batches_is_a_sentence(tmp_path: Path) -> None:
    with provide(lines) as provider:
        llm = teacher(provider, tmp_path)
        llm.base_url = provider.url.replace("/v1", "/v2")
        (failure,) = set(failures(ask(llm)))
        assert failure.startswith("gone: the provider took no batch: NotFoundError: ")
        llm.base_url, llm.api_key = provider.url, "sk-wrong"
        (failure,) = set(failures(ask(llm)))
        assert "Incorrect API key provided: …" in failure and "sk-wrong" not in failure
    assert ledger(tmp_path) == [] and under_way(tmp_path) == []


@pytest.mark.field
@pytest.mark.parametrize(
    "said",
    [
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]},
        {"error": "Unsupported parameter: seed"},
        [{"error": {"message": 'Unknown name "seed"', "code": 400}}],
        "seed is unknown",
    ],
)
def test_a_batch_learns_from_a_refusal_in_whatever_shape(tmp_path: Path, said: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        Provider, "_answered", lambda self, body: (400, said) if "seed" in body else (200, completion(body, [LINES]))
    )
    with provide(lines) as provider:
        found = ask(teacher(provider, tmp_path))
        assert failures(found) == [""] * 5 and len(provider.batches) == 2


@pytest.mark.field
def test_an_answer_of_a_batch_without_a_text_is_not_kept(tmp_path: Path) -> None:
    broken = [True]
    with provide(lambda body: "" if broken[0] and is_of(1, body) else lines(body)) as provider:
        found = ask(teacher(provider, tmp_path))
        assert str(found[1].completion.failure).startswith("its answers hold no text → ")
        broken[0] = False
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5


@pytest.mark.field
def test_a_model_that_thinks_is_given_room_in_the_next_batch(tmp_path: Path, monkeypatch: Any) -> None:
    def answered(provider: Provider, body: dict[str, Any]) -> tuple[int, Any]:
        if "chat_template_kwargs" in body:
            return 400, {"detail": [{"type": "extra_forbidden", "loc": ["body", "chat_template_kwargs"]}]}
        fits = body["max_tokens"] > 4 * 80
        message = {"content": LINES if fits else None, "reasoning_content": "음"}
        choice = {"finish_reason": "stop" if fits else "length", "message": message}
        return 200, {**completion(body, [LINES]), "choices": [choice]}

    monkeypatch.setattr(Provider, "_answered", answered)
    with provide(lines) as provider:
        assert failures(ask(teacher(provider, tmp_path))) == [""] * 5
        assert len(provider.batches) == 4  # as it is, without thinking, as it is, with room
