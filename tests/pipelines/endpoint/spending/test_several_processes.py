"""Limits, and answers that are paid once, where several processes share a store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.spending.answer_store import Reservation, Spent, Store, is_running
from pipelines.endpoint.spending.budget import Budget, Caps
from tests.pipelines.endpoint.teacher_server import serve

ROOT = Path(__file__).parents[4]
MOST = Spent(1, 10, 20, 0.5)
#: Asks for so many bodies, eight at a time, and says how many replies there were, and why there are no others.
ASKER = """
import asyncio, sys
from pathlib import Path
import openai
from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.client import Client
from pipelines.endpoint.concurrency import map_concurrently
from pipelines.endpoint.failures import EndpointError
from tests.pipelines.endpoint.teacher_server import KEY, MODEL
from tests.pipelines.endpoint.teachers import options_for

url, folder, count, limit, run = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

async def main():
    api = openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    client = Client(api, options_for(url, folder, concurrency=8, caps=Caps(requests=limit), run_id=run))
    async def ask(number):
        body = {"model": MODEL, "messages": [{"role": "user", "content": f"상품 {number}"}], "max_tokens": 20, "n": 1}
        try:
            return (await client.ask(body)).texts[0]
        except EndpointError as error:
            return f"no: {error}"
    return await map_concurrently(ask, range(count), 8)

print("ready", flush=True)
sys.stdin.readline()
found = asyncio.run(main())
print(sum(not text.startswith("no: ") for text in found), sorted({text for text in found if text.startswith("no: ")}))
"""


def asker(url: str, folder: Path, count: int, limit: int, run: str) -> subprocess.Popen[str]:
    """Starts once it is given a line, which it can be when it has said that it is ready."""
    command = [sys.executable, "-c", ASKER, url, str(folder), str(count), str(limit), run]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, cwd=ROOT)


def ask_at_once(url: str, folder: Path, *plans: tuple[int, int, str]) -> list[str]:
    """What those say that ask by these plans (count, limit, run) at the same time."""
    processes = [asker(url, folder, *plan) for plan in plans]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), ended
    return [said.strip() for said, _ in ended]


def slowly(body, number):
    time.sleep(0.05)
    return f"{body['messages'][0]['content']}: 향이 먼저 깬다"


@pytest.mark.field
def test_two_commands_share_a_limit_and_pay_each_body_once(tmp_path):
    with serve(slowly) as endpoint:
        said = ask_at_once(endpoint.url, tmp_path, (100, 50, "run"), (101, 50, "run"))
    bodies = Counter(json.dumps(request, sort_keys=True) for request in endpoint.log.requests)
    assert len(endpoint.log.requests) == 50
    assert bodies.most_common(1)[0][1] == 1
    assert said == ["50 ['no: max_requests = 50 (50 sent)']"] * 2
    assert Store(tmp_path / "answers.sqlite").spent("run").requests == 50


@pytest.mark.field
def test_commands_with_limits_of_their_own_pay_each_body_once_too(tmp_path):
    with serve(slowly) as endpoint:
        said = ask_at_once(endpoint.url, tmp_path, (40, 100, "one"), (41, 100, "other"))
    assert said == ["40 []", "41 []"]
    assert len(endpoint.log.requests) == 41
    store = Store(tmp_path / "answers.sqlite")
    assert store.spent("one").requests + store.spent("other").requests == 41


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def no_limit(spent: Spent) -> str:
    return ""


#: Reserves what it is told to and waits to be killed.
HOLDER = """
import pathlib, sys, time
from pipelines.endpoint.spending.answer_store import Spent, Store
store = Store(pathlib.Path(sys.argv[1]))
for key in sys.argv[2:]:
    store.reserve("run", key, Spent(1, 10, 20, 0.5), lambda spent: "", 60)
print("reserved", flush=True)
time.sleep(60)
"""


def holder(path: Path, *keys: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *keys], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout.readline()
    return process


def test_what_another_process_has_in_flight_is_not_sent_and_counts_until_that_is_killed(path):
    store = Store(path)
    other = holder(path, "a", "b")
    held = Reservation(wait=True)
    assert store.reserve("run", "a", MOST, no_limit, 60) == held
    assert store.reserve("another run", "b", MOST, no_limit, 60) == held
    limited = store.reserve("run", "c", MOST, lambda spent: f"{spent.requests} is enough", 60)
    assert limited == Reservation(passed="2 is enough", wait=True)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    limited = store.reserve("run", "c", MOST, lambda spent: f"{spent.requests} is enough", 60)
    assert limited == Reservation(passed="2 is enough", wait=False)
    assert store.reserve("run", "a", MOST, no_limit, 60) == Reservation(3, Spent(3, 30, 60, 1.5))
    with sqlite3.connect(path) as file:
        assert file.execute("select key, outcome, usd from requests order by id").fetchall() == [
            ("a", "lost", 0.5),
            ("b", "lost", 0.5),
            ("a", "sent", 0.5),
        ]


def test_what_is_in_flight_for_too_long_holds_nobody_up(path):
    """Its process may be asleep (Ctrl-Z, a closed laptop). Its own word counts in the end."""
    store, other = Store(path), Store(path)
    number = other.reserve("run", "a", MOST, no_limit, 60).number
    assert store.reserve("run", "a", MOST, no_limit, 60).wait
    assert store.reserve("run", "a", MOST, no_limit, 0).number == number + 1
    assert store.spent("run") == Spent(2, 20, 40, 1.0)
    assert other.settle("run", "a", number, "answered", Spent(1, 1, 2, 0.25), [1]) == Spent(2, 11, 22, 0.75)
    assert store.reserve("run", "a", MOST, no_limit, 60) == Reservation(answer=[1])


def test_a_process_with_the_number_of_one_that_is_gone_is_another(path):
    assert is_running(os.getpid(), time.time())
    assert not is_running(os.getpid(), time.time() - 30 * 24 * 3600)  # before this one began
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not is_running(gone.pid, time.time())
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert zombie.stdout.read() == b""
    time.sleep(0.2)
    assert not is_running(zombie.pid, time.time())
    zombie.wait()


def test_waits_for_the_answer_to_what_another_has_in_flight_and_sends_nothing(path):
    mine, theirs = Store(path), Store(path)

    async def main() -> None:
        budgets = [Budget(Caps(requests=1), None, store, "run", 60) for store in (theirs, mine)]
        left = asyncio.Event()

        async def pay() -> None:
            async with budgets[0].request("a", 10, 20) as receipt:
                assert receipt.answer is None
                left.set()
                await asyncio.sleep(0.1)
                receipt.settle("answered", 1, 2, None)
                receipt.answer = {"texts": ["향이 먼저 깬다"]}

        paying = asyncio.create_task(pay())
        await left.wait()
        async with budgets[1].request("a", 10, 20) as receipt:
            assert receipt.answer == {"texts": ["향이 먼저 깬다"]}
        await paying
        with pytest.raises(BudgetSpentError, match=r"max_requests = 1 \(1 sent\)"):
            async with budgets[1].request("b", 10, 20):
                pytest.fail("it was let out")

    asyncio.run(main())
    assert mine.spent("run") == Spent(1, 1, 2, 0.0)


def test_asks_itself_where_the_other_gets_no_answer(path):
    mine, theirs = Store(path), Store(path)

    async def main() -> None:
        number = theirs.reserve("run", "a", MOST, no_limit, 60).number
        asyncio.get_running_loop().call_later(0.1, theirs.settle, "run", "a", number, "500", Spent(1), None)
        async with Budget(Caps(), None, mine, "run", 60).request("a", 10, 20) as receipt:
            assert receipt.answer is None
            receipt.settle("answered", 1, 2, None)

    asyncio.run(main())
    assert mine.spent("run") == Spent(2, 1, 2, 0.0)


def test_waits_for_what_another_has_in_flight_to_turn_out_cheaper(path):
    mine, theirs = Store(path), Store(path)

    async def main() -> None:
        number = theirs.reserve("run", "a", MOST, no_limit, 60).number
        asyncio.get_running_loop().call_later(0.1, theirs.settle, "run", "a", number, "answered", Spent(1, 1, 1), None)
        budget = Budget(Caps(tokens=40), None, mine, "run", 60)
        async with budget.request("b", 10, 20) as receipt:
            receipt.settle("answered", 10, 20, None)
        assert budget.spent == Spent(2, 11, 21, 0.0)

    asyncio.run(main())
