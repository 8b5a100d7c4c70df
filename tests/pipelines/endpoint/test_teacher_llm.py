from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from pipelines.endpoint.answers.json_answers import lines_form
from pipelines.endpoint.client import ATTEMPTS
from pipelines.endpoint.completions import Completion
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.next_steps import START
from pipelines.endpoint.spending.answer_store import Spent, Store
from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.streaming import Request, stream_answers
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.errors import HanjulError
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Raw, Reset, serve
from tests.pipelines.endpoint.teachers import hasten, teacher_at


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


def teacher(url: str, folder: Path, key: str = KEY, **options) -> Teacher:
    """A teacher with a store of its own in the folder."""
    return teacher_at(url, folder, key, **{"concurrency": 2} | options)


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def ask(llm: Teacher, texts: list[str], n: int) -> list[dict]:
    llm.load()
    return llm.generate_outputs([chat(text) for text in texts], num_generations=n, **llm.get_generation_kwargs())


def write(llm: Teacher, texts: list[str], wanted: int, form=None, attempt: int = 0) -> dict[str, Completion]:
    """What was written for each text, all in flight together."""
    llm.load()
    asked = (Request(chat(text), attempt, {"text": text}) for text in texts)
    responses = stream_answers(llm, asked, lambda: len(texts), wanted, form)
    return {response.about["text"]: response.completion for response in chain.from_iterable(responses)}


def closed_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_request_and_answer_are_exactly_these(tmp_path):
    with serve(lambda body, number: f"줄 {number}") as endpoint:
        (output,) = ask(teacher(endpoint.url, tmp_path), ["상품"], 3)
    (request,) = endpoint.log.requests
    assert request.pop("seed") in range(2**31)
    assert request == {
        "model": MODEL,
        "messages": chat("상품"),
        "n": 3,
        "max_tokens": 40,
        "temperature": 0.8,
        "top_p": 0.95,
    }
    assert output == {
        "generations": ["줄 0", "줄 1", "줄 2"],
        "statistics": {"input_tokens": [2, 0, 0], "output_tokens": [9, 0, 0]},
        "failure": ["", "", ""],
    }


def test_a_form_asks_for_all_lines_in_one_choice(tmp_path):
    form, answer = lines_form(3, 40), '{"copies": ["향 하나", "향 둘", "향 셋", "향 넷"]}'
    with serve(lambda body, number: answer) as endpoint:
        written = write(teacher(endpoint.url, tmp_path), ["상품"], 3, form)
    (request,) = endpoint.log.requests
    assert (request["n"], request["max_tokens"]) == (1, form.max_new_tokens)
    assert request["response_format"] == form.response_format
    assert written == {"상품": Completion(["향 하나", "향 둘", "향 셋"], None, 2, len(answer))}


def test_seeds_differ_by_message_and_attempt_and_repeat_by_run(tmp_path):
    def seeds(folder: str, texts: list[str], attempt: int = 0, **options) -> list[str]:
        llm = teacher(endpoint.url, tmp_path / folder, **options)
        written = write(llm, texts, 1, attempt=attempt)
        return [written[text].texts[0] for text in texts]

    with serve(lambda body, number: str(body["seed"])) as endpoint:
        first = seeds("first", ["가", "나"])
        assert seeds("again", ["가", "나"]) == first
        others = [*seeds("other", ["가"], seed=8), *seeds("later", ["가"], attempt=1)]
    assert len(endpoint.log.requests) == 6
    assert len({*first, *others}) == 4


def test_bounds_requests_in_flight(tmp_path):
    def slow(body, number):
        time.sleep(0.02)
        return "줄"

    with serve(slow) as endpoint:
        ask(teacher(endpoint.url, tmp_path), [str(number) for number in range(12)], 1)
        assert endpoint.log.peak == 2
        write(teacher(endpoint.url, tmp_path), [f"다른 {number}" for number in range(12)], 1)
        assert endpoint.log.peak == 2


def test_prompts_are_made_when_their_turn_comes(tmp_path):
    made: list[int] = []

    def questions() -> Iterator[Request]:
        for number in range(20):
            made.append(number)
            yield Request(chat(str(number)), 0, {"turn": number})

    ahead: list[int] = []

    def look(body, number):
        ahead.append(len(made) - len(endpoint.log.requests))
        return "줄"

    with serve(look) as endpoint:
        llm = teacher(endpoint.url, tmp_path)
        llm.load()
        answered = list(chain.from_iterable(stream_answers(llm, questions(), lambda: 20, 1)))
    assert sorted(one.about["turn"] for one in answered) == list(range(20))
    assert all(one.completion.texts == ["줄"] for one in answered)
    assert len(ahead) == 20 and max(ahead) <= 1  # two are in flight: one here, and one that may be on its way


def test_a_prompt_that_cannot_be_made_is_an_error(tmp_path):
    def questions() -> Iterator[Request]:
        yield Request(chat("가"), 0, {})
        raise HanjulError("9 examples asked for")

    with serve(lambda body, number: "줄") as endpoint:
        llm = teacher(endpoint.url, tmp_path)
        llm.load()
        with pytest.raises(HanjulError, match="9 examples asked for"):
            list(stream_answers(llm, questions(), lambda: 2, 1))


def test_asks_again_where_n_is_ignored(tmp_path):
    with serve(lambda body, number: str(body["seed"]), most_choices=1) as endpoint:
        (output,) = ask(teacher(endpoint.url, tmp_path), ["가"], 3)
    assert len(set(output["generations"])) == 3
    assert [request["n"] for request in endpoint.log.requests] == [3, 2, 1]


def test_asks_one_by_one_where_n_is_refused(tmp_path):
    with serve(lambda body, number: "줄", slots=4) as endpoint:
        outputs = ask(teacher(endpoint.url, tmp_path), ["가", "나"], 6)
    assert [output["generations"] for output in outputs] == [["줄"] * 6] * 2
    assert {request["n"] for request in endpoint.log.requests} == {1}


def test_asks_for_no_more_choices_than_it_may(tmp_path):
    with serve(lambda body, number: "줄") as endpoint:
        written = write(teacher(endpoint.url, tmp_path, choices=2), ["가"], 5)
    assert written["가"].texts == ["줄"] * 5
    assert [request["n"] for request in endpoint.log.requests] == [2, 2, 1]
    assert len({request["seed"] for request in endpoint.log.requests}) == 3


def test_half_a_character_becomes_storable(tmp_path):
    with serve(lambda body, number: "불\ud83d") as endpoint:
        (output,) = ask(teacher(endpoint.url, tmp_path), ["가"], 1)
    (line,) = output["generations"]
    assert line.startswith("불\ufffd") and line.encode()


def test_half_a_character_in_json_becomes_storable(tmp_path):
    with serve(lambda body, number: '{"copies": ["불 켜는 밤 \\ud83d"]}') as endpoint:
        written = write(teacher(endpoint.url, tmp_path), ["가"], 1, lines_form(1, 40))
    (line,) = written["가"].texts
    assert line.encode().decode().startswith("불 켜는 밤")


def test_a_failure_stays_with_its_pair(tmp_path):
    with serve(lambda body, number: (422, "나 is unprocessable") if "나" in str(body) else "줄") as endpoint:
        good, bad = ask(teacher(endpoint.url, tmp_path), ["가", "나"], 2)
    assert good["generations"] == ["줄", "줄"]
    assert bad["generations"] == [None, None]
    assert "나 is unprocessable" in bad["failure"][0]


def test_a_failure_leaves_what_was_written_before(tmp_path):
    replies = iter(["줄"])
    with serve(lambda body, number: next(replies, (422, "no more"))) as endpoint:
        written = write(teacher(endpoint.url, tmp_path, choices=1), ["가"], 3)["가"]
    assert (written.texts, written.input_tokens, written.output_tokens) == (["줄"], 1, 1)
    assert written.failure.kind is FailureKind.REJECTED and "no more" in written.failure.message


def test_a_limit_leaves_what_was_paid_before(tmp_path):
    with serve(lambda body, number: "줄") as endpoint:
        written = write(teacher(endpoint.url, tmp_path, choices=1, caps=Caps(requests=1)), ["가"], 3)["가"]
    assert written == Completion(["줄"], Failure(FailureKind.LIMIT, "max_requests = 1 (1 sent)"), 1, 1)


def test_a_limit_fails_each_pair_that_it_keeps_back(tmp_path):
    texts = [str(number) for number in range(6)]
    with serve(lambda body, number: "줄") as endpoint:
        written = write(teacher(endpoint.url, tmp_path, caps=Caps(requests=4)), texts, 1)
        assert len(endpoint.log.requests) == 4
        # What was answered costs nothing in another run, with limits of its own.
        whole = write(teacher(endpoint.url, tmp_path, run_id="2", caps=Caps(requests=2)), texts, 1)
    assert [whole[text].texts for text in texts] == [["줄"]] * 6
    assert sum(one.texts == ["줄"] for one in written.values()) == 4
    assert {one.failure for one in written.values() if not one.texts} == {
        Failure(FailureKind.LIMIT, "max_requests = 4 (4 sent)")
    }
    assert Store(tmp_path / "answers.sqlite").spent("2") == Spent(2, 2, 2)


def test_waiting_requests_learn_that_the_endpoint_is_gone(tmp_path):
    texts = [str(number) for number in range(50)]
    with serve(lambda body, number: Reset()) as endpoint:
        written = write(teacher(endpoint.url, tmp_path), texts, 1)
    assert set(written) == set(texts)
    assert {one.failure for one in written.values()} == {
        Failure(FailureKind.GONE, "APIConnectionError: Connection error.", next_step=START)
    }
    assert len(endpoint.log.requests) <= 2 * ATTEMPTS  # two workers make their attempts, and nobody else tries


def test_a_missing_model_is_asked_for_once(tmp_path):
    refusal = Raw({"error": {"message": "The model does not exist", "code": "model_not_found"}}, 404)
    with serve(lambda body, number: refusal) as endpoint:
        written = write(teacher(endpoint.url, tmp_path), [str(number) for number in range(50)], 1)
    assert len({one.failure for one in written.values()}) == 1
    assert all(
        str(one.failure).startswith("gone: NotFoundError") and "does not exist" in one.failure.message
        for one in written.values()
    )
    assert len(endpoint.log.requests) <= 2


def test_endpoint_that_is_down_is_named(tmp_path):
    url = closed_port()
    (output,) = ask(teacher(url, tmp_path), ["가"], 1)
    assert "`base_url`" in output["failure"][0]
    written = write(teacher(url, tmp_path), ["가", "나"], 1)
    (failure,) = {one.failure for one in written.values()}
    assert str(failure).startswith(f"gone: the endpoint does not answer: {url}")


def test_endpoint_that_is_down_is_not_missed_where_all_is_known(tmp_path):
    with serve(lambda body, number: f"줄 {number}") as endpoint:
        first = write(teacher(endpoint.url, tmp_path), ["가", "나"], 2)
    assert write(teacher(closed_port(), tmp_path), ["가", "나"], 2) == first
    assert first["가"].texts == ["줄 0", "줄 1"]


def test_refused_key_is_named_without_the_key(tmp_path):
    with serve(lambda body, number: "줄") as endpoint:
        written = write(teacher(endpoint.url, tmp_path, key="sk-wrong"), ["가"], 1)
    assert str(written["가"].failure).startswith("gone: the endpoint refuses the key")
    assert "sk-wrong" not in str(written["가"].failure)


def test_an_answer_may_take_a_part_of_a_second(tmp_path):
    with serve(lambda body, number: "줄") as endpoint:
        written = write(teacher(endpoint.url, tmp_path, timeout=2.5), ["가"], 1)
    assert written["가"].texts == ["줄"]
