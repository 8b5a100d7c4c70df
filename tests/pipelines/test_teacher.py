from __future__ import annotations

import socket

import pytest

from pipelines.teacher import Teacher, teacher_llm
from tests.pipelines.teacher_server import KEY, MODEL, serve

SAMPLING = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 40, "concurrency": 2, "seed": 7}


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def ask(llm: Teacher, texts: list[str], n: int) -> list[dict]:
    llm.load()
    return llm.generate_outputs([chat(text) for text in texts], num_generations=n, **llm.get_generation_kwargs())


def test_request_and_answer_are_exactly_these():
    with serve(lambda body, number: f"줄 {number}") as endpoint:
        (output,) = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), ["상품"], 3)
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


def test_seeds_differ_by_message_and_repeat_by_run():
    with serve(lambda body, number: str(body["seed"])) as endpoint:
        texts = ["가", "나", "가"]
        first = [out["generations"][0] for out in ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), texts, 1)]
        again = [out["generations"][0] for out in ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), texts, 1)]
        other = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING | {"seed": 8}), texts, 1)
    assert first == again
    assert first[0] == first[2] != first[1]
    assert other[0]["generations"][0] != first[0]


def test_bounds_requests_in_flight():
    def slow(body, number):
        import time

        time.sleep(0.05)
        return "줄"

    with serve(slow) as endpoint:
        ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), [str(number) for number in range(12)], 1)
    assert endpoint.log.peak == 2


def test_asks_again_where_n_is_ignored():
    with serve(lambda body, number: str(body["seed"]), most_choices=1) as endpoint:
        (output,) = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), ["가"], 3)
    assert len(set(output["generations"])) == 3
    assert [request["n"] for request in endpoint.log.requests] == [3, 2, 1]


def test_asks_one_by_one_where_n_is_refused():
    with serve(lambda body, number: "줄", slots=4) as endpoint:
        outputs = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), ["가", "나"], 6)
    assert [output["generations"] for output in outputs] == [["줄"] * 6] * 2
    assert {request["n"] for request in endpoint.log.requests} == {1}


def test_half_a_character_becomes_storable():
    with serve(lambda body, number: "불\ud83d") as endpoint:
        (output,) = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), ["가"], 1)
    (line,) = output["generations"]
    assert line.startswith("불\ufffd") and line.encode()


def test_a_failure_stays_with_its_pair():
    with serve(lambda body, number: (422, "나 is unprocessable") if "나" in str(body) else "줄") as endpoint:
        good, bad = ask(teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING), ["가", "나"], 2)
    assert good["generations"] == ["줄", "줄"]
    assert bad["generations"] == [None, None]
    assert "나 is unprocessable" in bad["failure"][0]


def test_waiting_requests_learn_that_the_endpoint_is_gone(monkeypatch):
    monkeypatch.setattr("pipelines.teacher.RETRIES", 0)
    with serve(lambda body, number: "줄") as endpoint:
        llm = teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING)
    outputs = ask(llm, [str(number) for number in range(50)], 1)
    assert {output["failure"][0] for output in outputs} == {"APIConnectionError: Connection error."}


def test_endpoint_that_is_down_is_named():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    with pytest.raises(ValueError, match=f"the teacher endpoint does not answer: {url} .*check `teacher.base_url`"):
        teacher_llm(url, MODEL, KEY, **SAMPLING)


def test_refused_key_is_named_without_the_key():
    with serve(lambda body, number: "줄") as endpoint, pytest.raises(ValueError, match="refuses the key") as raised:
        teacher_llm(endpoint.url, MODEL, "sk-wrong", **SAMPLING)
    assert "sk-wrong" not in str(raised.value)
