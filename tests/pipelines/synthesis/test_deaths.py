"""A writing pipeline that loses a process: it ends at once, pays no more, and the next run goes on."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pipelines.errors import HanjulError
from pipelines.execution.running import run
from pipelines.synthesis.checking import PairResult, in_own_process
from pipelines.synthesis.write_lines import Writing, build_writing_pipeline, read_leaf
from tests.limits import limits
from tests.pipelines.endpoint.teacher_server import Endpoint, Log, serve
from tests.pipelines.endpoint.teachers import teacher_at
from tests.pipelines.synthesis.test_checking import ANSWERS
from tests.pipelines.synthesis.test_write_lines import TUNED, make_pair

PAIRS = [make_pair(f"모카포트 {number}호") for number in range(60)]
IN_FLIGHT = 4
#: Seconds within which a run that lost a process must be over, on a busy machine.
PROMPT = 5


@pytest.fixture(autouse=True)
def no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take seconds to load."""
    monkeypatch.setattr("pipelines.synthesis.checking.warm_up", lambda: None)
    monkeypatch.setattr("pipelines.synthesis.checking.first_rule", lambda row, limits: ("", ""))


def slowly(body, number):
    time.sleep(0.02)
    return "향이 먼저 깬다"


def synthesise(endpoint: Endpoint, folder: Path) -> list[PairResult]:
    llm = teacher_at(endpoint.url, folder, concurrency=IN_FLIGHT)
    writing = Writing(PAIRS, TUNED, "hf://t@1", 1, limits(gated=False))
    return read_leaf(run(build_writing_pipeline(writing, llm, cache_dir=folder / "distilabel")))


Others = list[psutil.Process]


def step(others: Others) -> psutil.Process | None:
    """The process of the writing step: that which has started one itself."""
    children = (child for child in psutil.Process().children() if child not in others)
    return next((child for child in children if child.children()), None)


def checker(others: Others) -> psutil.Process | None:
    parent = step(others)
    return parent.children()[0] if parent else None


@contextmanager
def killed(find: Callable[[Others], psutil.Process | None], log: Log, requests: int) -> Iterator[None]:
    """Kill a process once there are so many requests, and see that the run ends soon after."""
    others = psutil.Process().children()  # of other tests, a Hub for instance
    times: list[float] = []

    def kill() -> None:
        while len(log.requests) < requests or not (victim := find(others)):
            time.sleep(0.005)
        victim.kill()
        times.append(time.monotonic())

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    yield
    assert times and time.monotonic() - times[0] < PROMPT
    thread.join()


@pytest.mark.field
@pytest.mark.parametrize("requests", [0, 1, 30, 55], ids=["before the first", "first", "middle", "near the end"])
@pytest.mark.parametrize(
    ("find", "who"), [(step, "The step write"), (checker, "The process that checks lines")], ids=["writing", "checking"]
)
def test_a_killed_process_ends_it_at_once_and_the_next_run_goes_on(tmp_path, find, who, requests):
    with serve(slowly) as endpoint:
        with (
            killed(find, endpoint.log, requests),
            pytest.raises(HanjulError, match=rf"^{who} died: it was ended by SIGKILL \(out of memory\?\) "),
        ):
            synthesise(endpoint, tmp_path)
        sent = len(endpoint.log.requests)
        assert not multiprocessing.active_children()
        time.sleep(0.1)
        assert len(endpoint.log.requests) == sent
        results = synthesise(endpoint, tmp_path)
        assert [(result.turn, len(result.rows), result.failure) for result in results] == [
            (turn, 1, None) for turn in range(len(PAIRS))
        ]
        # Paid twice is at most what was in flight.
        assert len(endpoint.log.requests) <= len(PAIRS) + IN_FLIGHT


@pytest.mark.field
def test_a_checker_that_dies_while_nothing_comes_in_ends_it_too(tmp_path):
    """No answer has to come for that: the next one may be minutes away."""
    answer = threading.Event()

    def never(body, number):
        answer.wait(30)
        return "향이 먼저 깬다"

    with (
        serve(never) as endpoint,
        killed(checker, endpoint.log, IN_FLIGHT),
        pytest.raises(HanjulError, match=r"^The process that checks lines died: "),
    ):
        synthesise(endpoint, tmp_path)
    answer.set()


def test_outside_of_a_step_the_next_check_says_it():
    others = psutil.Process().children()  # of other tests, a Hub for instance
    with in_own_process(limits()) as check:
        assert len(check(ANSWERS)) == len(ANSWERS)
        (process,) = set(psutil.Process().children()) - set(others)
        process.kill()
        with pytest.raises(
            HanjulError, match=r"^The process that checks lines died: it was ended by SIGKILL"
        ) as caught:
            check(ANSWERS)
    assert caught.value.where == f"process {process.pid}"
    assert not multiprocessing.active_children()
