"""A client in a thread of its own, and many questions at a time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time

import pytest

from pipelines.endpoint.concurrency import map_concurrently
from pipelines.endpoint.session import Session
from tests.pipelines.endpoint.teacher_server import KEY, serve
from tests.pipelines.endpoint.teachers import options_for
from tests.pipelines.endpoint.test_client import body_of


@pytest.fixture
def session_of(tmp_path):
    return lambda url: Session(options_for(url, tmp_path), KEY)


def test_asked_from_plain_code_and_from_other_loops(session_of):
    with serve(lambda body, number: "줄") as endpoint, session_of(endpoint.url) as session:
        ask = session.client.ask
        assert session.run(ask(body_of("하나"))).texts == ["줄"]

        async def two():
            return await asyncio.gather(*(session.arun(ask(body_of(text))) for text in ("둘", "셋")))

        assert [reply.texts for _ in range(2) for reply in asyncio.run(two())] == [["줄"]] * 4
        assert len(endpoint.log.requests) == 3


def test_closing_cancels_what_is_in_flight(session_of):
    raised = []

    def wait(session):
        try:
            session.run(session.client.ask(body_of()))
        except BaseException as error:
            raised.append(type(error))

    def slow(body, number):
        time.sleep(0.3)
        return "줄"

    with serve(slow) as endpoint:
        with session_of(endpoint.url) as session:
            waiting = threading.Thread(target=wait, args=(session,))
            waiting.start()
            while not endpoint.log.requests:
                time.sleep(0.005)
        waiting.join(5)
        session.close()  # a second time is nothing
    assert raised == [concurrent.futures.CancelledError]


def test_an_error_is_raised_where_it_was_asked(session_of):
    async def fail():
        raise KeyError("no")

    with session_of("http://127.0.0.1:1/v1") as session, pytest.raises(KeyError):
        session.run(fail())


def test_map_concurrently_keeps_the_order_and_takes_questions_in_turn():
    under_way, most, taken = 0, 0, []

    def questions():
        for number in range(20):
            taken.append(number)
            yield number

    async def ask(number):
        nonlocal under_way, most
        assert len(taken) <= number + 3
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * (number % 3))
        under_way -= 1
        return number * 2

    assert asyncio.run(map_concurrently(ask, questions(), 3)) == [number * 2 for number in range(20)]
    assert most == 3
    assert asyncio.run(map_concurrently(ask, [], 3)) == []


def test_map_concurrently_stops_at_the_first_trouble_and_waits_for_what_is_under_way():
    done, started = [], []

    async def ask(number):
        started.append(number)
        if number == 2:
            raise KeyError("no")
        await asyncio.sleep(0.01)
        done.append(number)

    with pytest.raises(KeyError):
        asyncio.run(map_concurrently(ask, range(100), 3))
    assert (started, done) == ([0, 1, 2], [0, 1])
