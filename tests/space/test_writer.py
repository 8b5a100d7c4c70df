"""What becomes of requests, over HTTP: choosing, the line, its fairness, failures, stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import gradio
import httpx
import jobs
import pytest
from jobs import MAX_OF_ADDRESS, MAX_OF_VISITOR, MAX_WAITING
from request import Problem

from tests.space.scripted import Asked, Critic, Engine, make_writer, numbered, press, serve, slowly, texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def wait_until(true: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def words(asked: Asked) -> Iterator[str]:
    yield from ["다", "가", "", "욕", "나", "가", "라", "마", "바"][: asked.count]


def test_the_best_candidates_are_shown_and_the_others_counted(folder: Path) -> None:
    engine = Engine(words)
    critic = Critic(faults={"욕": "profanity"}, grades={"가": 1, "나": 2, "바": 9})
    with serve(make_writer(engine, critic), folder) as url:
        *_, last = press(url, count=3)
    assert texts(last) == ["가", "나", "바"]  # the best of 3, of 6 and of 9 candidates, without those shown
    assert (last["asked"], last["written"], last["state"]) == (3, 9, "done")
    assert last["dropped"] == {"empty": 1, "profanity": 1, "near_duplicate": 1, "outranked": 3}
    assert last["message"] == "후보 9개를 쓰고 그 가운데 3개를 골랐습니다."
    assert len({line["id"] for line in last["lines"]}) == 3
    asked = engine.asked[0]
    assert asked.chat == [{"role": "user", "content": "상품: 제습기\n가치: 뽀송함, 여유"}]
    assert (asked.count, asked.temperature, asked.base) == (9, 0.3, False)


def test_lines_come_one_by_one_and_none_moves(folder: Path) -> None:
    with serve(make_writer(Engine(slowly(0.04))), folder) as url:
        shown = [texts(event) for event in press(url, count=4)]
    assert shown[0] == [] and len(shown[-1]) == 4
    assert {len(lines) for lines in shown} == {0, 1, 2, 3, 4}
    assert all(after[: len(before)] == before for before, after in pairwise(shown))
    assert len(shown) < 20


def test_one_more_round_where_too_few_were_left_and_no_third(folder: Path) -> None:
    engine = Engine(lambda asked: iter(["가", "가", "", ""][: asked.count] + [""] * (asked.count - 4)))
    with serve(make_writer(engine), folder) as url:
        *_, last = press(url, count=3)
    assert texts(last) == ["가"]
    assert [asked.count for asked in engine.asked] == [9, 6]
    assert len({asked.seed for asked in engine.asked}) == 2
    assert "3개를 채우지 못했습니다" in last["message"]


def test_candidates_are_bounded(folder: Path) -> None:
    engine = Engine()
    with serve(make_writer(engine), folder) as url:
        *_, last = press(url, count=8)
    assert len(texts(last)) == 8 and engine.asked[0].count == 24


def test_nothing_fit_to_show_is_a_problem(folder: Path) -> None:
    with serve(make_writer(Engine(lambda asked: iter([""] * asked.count))), folder) as url:
        *_, last = press(url, lang="en")
    assert last["state"] == "problem" and last["message"].startswith("No line came out")
    assert last["dropped"] == {"empty": 12}


def test_what_nobody_may_advertise_is_refused_before_it_is_written(folder: Path) -> None:
    engine = Engine()
    with serve(make_writer(engine, Critic(refusals={"마약": "refuse-illegal"})), folder) as url:
        *_, last = press(url, product="마약")
    assert last["state"] == "problem" and "법으로 팔거나" in last["message"] and engine.asked == []


def test_base_model_and_a_line_to_be_near_reach_the_engine_and_the_choice(folder: Path) -> None:
    engine = Engine()
    writer = make_writer(engine)
    likes: list[str] = []
    select = writer.select
    writer.select = lambda like: (likes.append(like), select(like))[1]
    with serve(writer, folder) as url:
        *_, last = press(url, base=True, like="0번째 줄")
        assert last["base"] and engine.asked[0].base and likes == ["0번째 줄"]
        assert texts(last) == ["1번째 줄", "2번째 줄"]  # the very line is no new one
        engine.can_compare = False
        *_, last = press(url, base=True)
        assert last["message"] == "여기서는 기반 모델의 카피를 함께 볼 수 없습니다."


def test_a_press_while_loading_waits_and_says_so(folder: Path) -> None:
    loaded = threading.Event()
    with serve(make_writer(Engine(before=loaded.wait)), folder) as url:
        events = press(url)
        assert next(events)["state"] == "loading"
        assert httpx.get(f"{url}/status").json()["state"] == "loading"
        loaded.set()
        assert len(texts(list(events)[-1])) == 2
        assert httpx.get(f"{url}/status").json()["state"] == "ready"


def test_a_load_that_failed_is_said_and_the_next_press_tries_again(folder: Path) -> None:
    def fail_twice() -> None:
        if len(engine.loads) < 3:
            raise Problem("load-failed") if len(engine.loads) == 1 else RuntimeError("unheard of")

    engine = Engine(before=fail_twice)
    with serve(make_writer(engine), folder) as url:
        wait_until(lambda: httpx.get(f"{url}/status").json()["state"] == "problem")
        assert httpx.get(f"{url}/status").json()["message"]["en"].startswith("The model could not be loaded")
        *_, last = press(url)
        assert last["state"] == "problem" and last["message"].startswith("모델을 불러오지 못했습니다.")
        *_, last = press(url)
        assert len(texts(last)) == 2
    assert engine.loads == ["loader"] * 3


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("secret"), "카피를 쓰다가 문제가 생겼습니다. 다시 눌러 주세요."),
        (Problem("busy"), "지금은 기다리는 분이 많습니다. 잠시 뒤에 다시 눌러 주세요."),
        (
            gradio.Error(
                "You have <b>0s</b> left. <a href='https://hf.co'>Sign up</a>", title="ZeroGPU quota exceeded"
            ),
            "GPU를 빌리지 못했습니다. ZeroGPU quota exceeded: You have 0s left. Sign up",
        ),
    ],
)
def test_failure_while_writing_keeps_the_lines_and_the_line_moves_on(
    folder: Path, error: Exception, sentence: str
) -> None:
    def break_off(asked: Asked) -> Iterator[str]:
        yield from ["가", "나", "다"]
        if len(engine.asked) == 1:
            raise error
        yield from ["라", "마", "바"]

    engine = Engine(break_off, concurrency=1)
    with serve(make_writer(engine), folder) as url:
        *_, last = press(url)
        assert (last["state"], last["message"], texts(last)) == ("problem", sentence, ["가"])
        *_, last = press(url)
        assert texts(last) == ["가", "나"]


def test_requests_are_written_together_and_told_how_many_are_ahead(folder: Path) -> None:
    go, running = threading.Event(), threading.Semaphore(0)

    def hold(asked: Asked) -> Iterator[str]:
        running.release()
        go.wait(20)
        yield from numbered(asked)

    engine = Engine(hold, concurrency=2)
    with serve(make_writer(engine), folder) as url:
        first = [press(url, visit=f"v{place}") for place in range(2)]
        assert all(running.acquire(timeout=10) for _ in first)  # both at once
        third, fourth = press(url, visit="v2"), press(url, visit="v3")
        events = [next(third), next(fourth)]
        assert [(event["state"], event["ahead"]) for event in events] == [("waiting", 1), ("waiting", 2)]
        assert events[1]["message"] == "앞에 2명이 있습니다. 차례가 오면 바로 씁니다."
        go.set()
        assert [len(texts(list(events)[-1])) for events in (*first, third, fourth)] == [2] * 4


def test_the_line_is_bounded_and_shared_fairly(folder: Path) -> None:
    go = threading.Event()

    def hold(asked: Asked) -> Iterator[str]:
        go.wait(30)
        yield from numbered(asked)

    listening = []  # who hangs up leaves

    def refused(**fields: Any) -> str:
        listening.append(press(url, **fields))
        first = next(listening[-1])
        return first["message"] if first["state"] == "problem" else ""

    with serve(make_writer(Engine(hold, concurrency=1)), folder) as url:
        greedy = [refused(visit="greedy") for _ in range(24)]
        assert greedy.count("") == MAX_OF_VISITOR
        assert "한 분이 한 번에 2건까지" in greedy[-1]
        # One client may call itself by many names, and write what it likes before the proxy's word.
        names = [
            refused(visit=f"name {place}", headers={"X-Forwarded-For": f"9.9.9.{place}, 8.8.8.8, 10.0.0.1"})
            for place in range(24)
        ]
        assert names.count("") == MAX_OF_ADDRESS
        assert "같은 주소에서" in names[-1]
        taken = MAX_OF_VISITOR + MAX_OF_ADDRESS
        others = [refused(visit=f"other {place}") for place in range(1 + MAX_WAITING - taken)]
        assert others == [""] * len(others)
        assert "기다리는 분이 많습니다" in refused(visit="late")
        go.set()


def test_stopping_keeps_the_lines_and_ends_the_engine(folder: Path) -> None:
    engine = Engine(slowly(0.05), concurrency=1)
    with serve(make_writer(engine), folder) as url:
        events = press(url, count=8, job="a job")
        wait_until(lambda: texts(next(events)))
        assert httpx.post(f"{url}/stop", json={"job": "another"}).status_code == 204
        assert httpx.post(f"{url}/stop", json={"job": "a job"}).status_code == 204
        *_, last = events
        assert last["state"] == "done" and 0 < len(texts(last)) < 8
        assert last["message"] == f"멈췄습니다. 고른 카피 {len(texts(last))}개는 그대로 둡니다."
        assert engine.asked[0].stopped()
        assert httpx.post(f"{url}/stop", json={"job": "a job"}).status_code == 204  # twice is no mistake


def test_a_visitor_who_left_costs_nothing(folder: Path) -> None:
    engine = Engine(slowly(0.05), concurrency=1)
    with serve(make_writer(engine), folder) as url:
        for _ in range(2):
            events = press(url, count=8, visit="leaves")
            next(events)
            events.close()  # the browser closes the stream
        wait_until(lambda: engine.asked and engine.asked[0].stopped())
        wait_until(lambda: next(press(url, visit="leaves"))["state"] != "problem")


def test_a_job_that_takes_too_long_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_SECONDS", 0.4)
    engine = Engine(slowly(0.1))
    with serve(make_writer(engine), folder) as url:
        *_, last = press(url, count=2)
        assert (last["state"], texts(last)) == ("done", ["0번째 줄"])
        assert last["message"] == "시간이 오래 걸려 여기서 멈췄습니다. 고른 카피 1개는 그대로 둡니다."
        *_, last = press(url, count=1, lang="en", product="다른 상품")
        assert texts(last) == ["0번째 줄"]
        engine.write = slowly(1)
        *_, last = press(url, lang="en")
        assert (last["state"], last["message"][:17]) == ("problem", "Writing took too ")


def test_eight_visitors_at_once_all_get_their_lines(folder: Path) -> None:
    with (
        serve(make_writer(Engine(slowly(0.01), concurrency=4)), folder) as url,
        ThreadPoolExecutor(8) as visitors,
    ):
        last = list(visitors.map(lambda place: list(press(url, visit=str(place), count=3))[-1], range(8)))
    assert [(event["state"], len(texts(event))) for event in last] == [("done", 3)] * 8
