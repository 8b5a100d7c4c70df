from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.endpoint.rate_limiter import DECREASE, EPOCH_S, LONGEST_WAIT_S, RECOVERY, RateLimiter


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing is to be done, and then at once."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        assert self._ready or self._scheduled, "a deadlock: all wait, and for no moment"
        if not self._ready:
            self.now = max(self.now, self._scheduled[0].when())
        super()._run_once()


Play = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Seconds in `clock.now`, for a limiter without a loop."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("pipelines.endpoint.rate_limiter.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs a coroutine in time of its own."""

    def play(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=Loop) as runner:
            monkeypatch.setattr(
                "pipelines.endpoint.rate_limiter.time", SimpleNamespace(monotonic=runner.get_loop().time)
            )
            runner.run(main())

    return play


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_waiters_all_pass_and_never_more_than_the_limit(play, seed):
    draw = random.Random(seed)
    limiter = RateLimiter(20)
    entered: list[float] = []
    peak = 0
    opens, refused = 0.0, 0

    async def request() -> None:
        nonlocal opens, peak, refused
        async with limiter.slot() as number:
            assert 1 <= limiter.in_flight <= max(1, int(limiter.limit)) <= 20
            assert now() >= opens
            peak = max(peak, limiter.in_flight)
            entered.append(now())
            await asyncio.sleep(draw.uniform(0, 3))
            if draw.random() < 0.2:
                wait = draw.choice([None, 0, 0.5, 40])
                limiter.on_throttled(number, wait)
                opens = max(opens, now() + (wait or 0))
                refused = max(refused, number if wait else 0)
            else:
                limiter.on_answer(number)
                opens = 0.0 if number > refused else opens

    async def main() -> None:
        await asyncio.gather(*(request() for _ in range(200)))

    play(main)
    assert len(entered) == 200
    assert limiter.in_flight == 0
    assert peak == 20


def test_places_are_taken_as_soon_as_they_are_free(play):
    limiter = RateLimiter(10)

    async def request() -> None:
        async with limiter.slot():
            await asyncio.sleep(1)

    async def main() -> None:
        started = now()
        await asyncio.gather(*(request() for _ in range(95)))
        assert now() - started == pytest.approx(10)

    play(main)


def test_a_grown_limit_is_used(play):
    limiter = RateLimiter(16)
    limiter.limit = 1.0
    flights: list[int] = []

    async def request() -> None:
        async with limiter.slot() as number:
            flights.append(limiter.in_flight)
            await asyncio.sleep(1)
            limiter.on_answer(number)

    async def main() -> None:
        await asyncio.gather(*(request() for _ in range(200)))

    play(main)
    assert sorted(set(flights)) == list(range(1, 17))


def test_refusals_within_an_epoch_count_once(clock):
    limiter = RateLimiter(100)
    for _ in range(50):
        limiter.on_throttled(1, None)
    clock.now += EPOCH_S * 0.999
    limiter.on_throttled(1, None)
    assert limiter.limit == 100 * DECREASE
    clock.now += EPOCH_S * 0.002
    limiter.on_throttled(1, None)
    limiter.on_throttled(1, None)
    assert limiter.limit == pytest.approx(100 * DECREASE**2)


def test_one_place_is_always_left(clock):
    limiter = RateLimiter(3)
    for _ in range(20):
        limiter.on_throttled(1, None)
        clock.now += EPOCH_S
    assert limiter.limit == 1.0


@pytest.mark.parametrize(
    ("most", "limit", "step"), [(RECOVERY, 10, 1), (2, 1, 1), (RECOVERY * 10, 50, 10), (RECOVERY * 10, 10, 10)]
)
def test_grows_by_one_step_after_as_many_answers_as_there_are_places(most, limit, step):
    limiter = RateLimiter(most)
    limiter.limit = float(limit)
    for _ in range(limit):
        limiter.on_answer(1)
    # Each answer adds step / limit, and the limit grows meanwhile from `limit` to less than `limit + step`.
    assert limit + step * limit / (limit + step) <= limiter.limit <= limit + step
    for _ in range(most * 100):
        limiter.on_answer(1)
    assert limiter.limit == most


def test_recovers_in_about_as_many_round_trips_as_it_says(clock):
    limiter = RateLimiter(64)
    limiter.limit, trips = 1.0, 0
    while limiter.limit < 64:
        for _ in range(int(limiter.limit)):
            limiter.on_answer(1)
        trips += 1
    assert RECOVERY * 0.8 <= trips <= RECOVERY * 1.5


@pytest.mark.parametrize(("asked", "silence"), [(7, 7), (0.25, 0.25), (0, 0), (None, 0), (1e9, LONGEST_WAIT_S)])
def test_silence_is_as_long_as_asked_for(play, asked, silence):
    limiter = RateLimiter(4)
    entered: list[float] = []

    async def late() -> None:
        async with limiter.slot():
            entered.append(now())

    async def main() -> None:
        started = now()
        limiter.on_throttled(1, asked)
        await asyncio.gather(*(late() for _ in range(3)))
        assert entered == [pytest.approx(started + silence)] * 3

    play(main)


def test_a_shorter_silence_does_not_end_a_longer_one(play):
    limiter = RateLimiter(4)

    async def main() -> None:
        started = now()
        limiter.on_throttled(1, 9)
        limiter.on_throttled(1, 2)
        limiter.on_throttled(1, None)
        async with limiter.slot():
            assert now() - started == pytest.approx(9)

    play(main)


def test_who_waited_before_the_silence_waits_it_out(play):
    limiter = RateLimiter(1)
    entered: list[float] = []

    async def first() -> None:
        async with limiter.slot():
            await asyncio.sleep(1)
            limiter.on_throttled(1, 5)

    async def later() -> None:
        async with limiter.slot():
            entered.append(now())

    async def main() -> None:
        started = now()
        await asyncio.gather(first(), *(later() for _ in range(200)))
        assert entered == [pytest.approx(started + 6)] * 200

    play(main)


def test_a_request_that_fails_gives_its_place_back(play):
    limiter = RateLimiter(1)

    async def fails() -> None:
        async with limiter.slot():
            raise ValueError("no")

    async def main() -> None:
        assert [str(error) for error in await asyncio.gather(*(fails() for _ in range(3)), return_exceptions=True)] == [
            "no"
        ] * 3
        assert limiter.in_flight == 0

    play(main)


def test_a_waiter_that_is_called_off_takes_no_place(play):
    limiter = RateLimiter(1)

    async def request() -> None:
        async with limiter.slot():
            await asyncio.sleep(1)

    async def main() -> None:
        tasks = [asyncio.create_task(request()) for _ in range(5)]
        await asyncio.sleep(0.5)
        for task in tasks[1:4]:
            task.cancel()
        await asyncio.wait_for(tasks[4], 2)
        assert limiter.in_flight == 0

    play(main)


def requests_of(limiter: RateLimiter) -> tuple[list[float], Callable[..., Coroutine[Any, Any, None]]]:
    """When requests got their places; and one of them, which takes so many seconds and may be told to wait."""
    entered: list[float] = []

    async def request(seconds: float, wait: float = 0) -> None:
        async with limiter.slot() as number:
            entered.append(now())
            await asyncio.sleep(seconds)
            limiter.on_throttled(number, wait) if wait else limiter.on_answer(number)

    return entered, request


def test_one_that_is_told_to_wait_silences_none_that_are_answered_later(play):
    limiter = RateLimiter(10)
    entered, request = requests_of(limiter)

    async def main() -> None:
        started = now()
        await asyncio.gather(request(1, wait=60), *(request(2) for _ in range(30)))
        # Until the first answers the gate is closed; then all go on.
        assert now() - started == pytest.approx(2 + 2 * 3, abs=2)
        assert not [at for at in entered if started < at < started + 2]

    play(main)


def test_answers_to_what_left_before_the_refused_one_end_no_silence(play):
    limiter = RateLimiter(3)
    entered, request = requests_of(limiter)

    async def main() -> None:
        started = now()
        await asyncio.gather(request(2), request(2), request(1, wait=60), request(1))
        assert entered == [started] * 3 + [pytest.approx(started + 61)]

    play(main)


@pytest.mark.field
def test_requests_that_time_out_lower_the_pace_at_once(play):
    """64 requests, 50 at a time, to a server that answers 8 a second and is given 2 seconds."""
    limiter, served = RateLimiter(50), asyncio.Semaphore(8)
    sent = 0

    async def serve() -> None:
        async with served:
            await asyncio.sleep(1)

    async def request() -> None:
        nonlocal sent
        for attempt in range(20):
            async with limiter.slot() as number:
                sent += 1
                try:
                    await asyncio.wait_for(serve(), 2)
                    return limiter.on_answer(number)
                except TimeoutError:
                    limiter.on_timeout()
            await asyncio.sleep(min(30, 0.5 * 2**attempt))

    async def main() -> None:
        await asyncio.gather(*(request() for _ in range(64)))

    play(main)
    assert 64 + 34 <= sent <= 64 + 34 + 15  # of the first 50 only 16 can be answered, whatever is done


def test_where_all_fails_one_at_a_time_tries_ever_more_rarely(play):
    limiter = RateLimiter(50)
    entered: list[float] = []

    async def request() -> None:
        async with limiter.slot():
            entered.append(now())
            limiter.on_trouble()

    async def main() -> None:
        started = now()
        await asyncio.gather(*(request() for _ in range(8)))
        assert entered == [pytest.approx(started + at) for at in (0, 1, 3, 7, 15, 25, 35, 45)]
        limiter.on_answer(9)
        async with limiter.slot():
            assert now() == entered[-1]

    play(main)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "throttled", "timeout", "trouble"]),
        st.floats(0, 5),
        st.sampled_from([None, 0.0, 0.5, 40.0, 1e9]),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 12), STEPS)
def test_whatever_the_endpoint_says_all_pass_and_never_more_than_the_limit(play, most, steps):
    limiter = RateLimiter(most)

    async def request(outcome: str, seconds: float, wait: float | None) -> None:
        async with limiter.slot() as number:
            assert limiter._wait() <= 0
            assert 1 <= limiter.in_flight <= max(1, int(limiter.limit)) <= most
            await asyncio.sleep(seconds)
            if outcome == "answer":
                limiter.on_answer(number)
            elif outcome == "throttled":
                limiter.on_throttled(number, wait)
            elif outcome == "timeout":
                limiter.on_timeout()
            else:
                limiter.on_trouble()
            assert 1 <= limiter.limit <= most

    async def main() -> None:
        await asyncio.gather(*(request(*step) for step in steps))

    play(main)
    assert limiter.in_flight == 0
