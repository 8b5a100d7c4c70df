from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.endpoint.spending.answer_store import Spent, Store
from pipelines.endpoint.spending.budget import Budget, Caps
from pipelines.endpoint.spending.store_file import VERSION
from pipelines.errors import HanjulError

#: As the first version made it.
FIRST = """
pragma journal_mode = wal;
create table answers (key text primary key, body blob not null) without rowid;
create table requests (
    id integer primary key, run text not null, key text not null, sent real not null,
    input_tokens integer not null, output_tokens integer not null, usd real not null, outcome text not null
);
create table batches (
    id text primary key, run text not null, identity text not null, jobs text not null, keys text not null,
    ledger text not null
);
insert into answers values ('a', cast('{"texts": ["향이 먼저 깬다"]}' as blob));
insert into requests values (1, 'run', 'a', 1.0, 30, 40, 0.5, 'answered'), (2, 'run', 'b', 2.0, 7, 8, 0.25, 'sent'),
    (3, 'other', 'a', 3.0, 1, 2, 4.0, '429');
"""
#: How the first version notes a request.
NOTE = (
    "insert into requests (run, key, sent, input_tokens, output_tokens, usd, outcome)"
    " values ('run', 'c', ?, 10 - 9, 2, 1.0, ?)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def first_version(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    file.executescript(FIRST)
    return file


@pytest.mark.field
def test_a_file_of_the_first_version_keeps_answers_and_sums_and_may_still_be_written_by_it(path):
    older = first_version(path)
    store = Store(path)
    assert store.answer("a") == {"texts": ["향이 먼저 깬다"]}
    assert (store.spent("run"), store.spent("other")) == (Spent(2, 37, 48, 0.75), Spent(1, 1, 2, 4.0))
    older.execute(NOTE, (time.time(), "sent"))
    assert store.spent("run") == Spent(3, 38, 50, 1.75)
    older.execute("update requests set input_tokens = 0, output_tokens = 0, usd = 0, outcome = '429' where key = 'c'")
    assert store.spent("run") == Spent(3, 37, 48, 0.75)
    older.execute("delete from requests where key = 'c'")
    assert store.spent("run") == Spent(2, 37, 48, 0.75)
    # What a killed process of the first version had in flight holds nobody up.
    assert store.reserve("run", "b", Spent(1, 1, 1, 0.0), lambda spent: "", 60).number == 4
    older.close()


@pytest.mark.field
def test_several_open_a_file_of_the_first_version_at_once(path):
    first_version(path).close()
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(path), range(8)))
    assert {store.spent("run") for store in stores} == {Spent(2, 37, 48, 0.75)}
    with sqlite3.connect(path) as file:
        assert file.execute("pragma user_version").fetchone() == (VERSION,)


@pytest.mark.field
@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_none_is_said_with_its_place(path, content):
    path.write_bytes(content)
    with pytest.raises(HanjulError, match="The file of kept answers cannot be read: ") as caught:
        Store(path)
    assert caught.value.where == str(path)
    assert "move it away" in caught.value.next_step


@pytest.mark.field
def test_a_full_disk_is_an_error_and_leaves_what_there_was(path):
    store = Store(path)
    store.keep("a", {"texts": ["향이 먼저 깬다"]})
    number = store.reserve("run", "b", Spent(1, 10, 20, 0.5), lambda spent: "", 60).number
    (pages,) = store._db.execute("pragma page_count").fetchone()
    store._db.execute(f"pragma max_page_count = {pages}")
    long = {"texts": ["향이 먼저 깬다" * 100_000]}
    with pytest.raises(sqlite3.OperationalError, match="database or disk is full"):
        store.settle("run", "b", number, "answered", Spent(1, 3, 4, 0.25), long)
    assert store.answer("b") is None
    assert store.spent("run") == Spent(1, 10, 20, 0.5)  # the answer is lost: all of it or nothing is noted
    store._db.execute("pragma max_page_count = 1000000")
    assert store.settle("run", "b", number, "answered", Spent(1, 3, 4, 0.25), long) == Spent(1, 3, 4, 0.25)
    assert (store.answer("a"), store.answer("b")) == ({"texts": ["향이 먼저 깬다"]}, long)


@pytest.mark.field
def test_while_another_process_holds_the_file_others_are_answered(path):
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    gaps: list[float] = []

    async def look(budget: Budget) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    async def main() -> float:
        budget = Budget(Caps(), None, store, "run", 60)
        looking = asyncio.create_task(look(budget))
        async with budget.request("a", 1, 1) as receipt:
            receipt.settle("answered", 1, 1, None)
            receipt.answer = {"texts": []}
            other.execute("begin immediate")
            threading.Timer(0.6, other.rollback).start()
            started = time.monotonic()
        looking.cancel()
        return time.monotonic() - started

    assert asyncio.run(main()) >= 0.5
    assert store.answer("a") == {"texts": []} and store.spent("run") == Spent(1, 1, 1, 0.0)
    assert max(gaps) < 0.4


def test_what_was_paid_is_kept_although_who_asked_has_gone(path):
    """Cancelled while another process holds the file: the answer and its cost are written all the same."""
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def ask(budget: Budget, answered: asyncio.Event) -> None:
        async with budget.request("a", 10, 10) as receipt:
            receipt.settle("answered", 1, 1, None)
            receipt.answer = {"texts": []}
            other.execute("begin immediate")
            threading.Timer(0.3, other.rollback).start()
            answered.set()

    async def main() -> None:
        answered = asyncio.Event()
        task = asyncio.create_task(ask(Budget(Caps(), None, store, "run", 60), answered))
        await answered.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert store.answer("a") == {"texts": []} and store.spent("run") == Spent(1, 1, 1, 0.0)
