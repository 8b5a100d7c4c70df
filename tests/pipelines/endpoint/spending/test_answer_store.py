from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.endpoint.spending.answer_store import Spent, Store, key_of

ROOT = Path(__file__).parents[4]
#: Writes answer after answer and a request each, and says which are written.
WRITER = """
import itertools, pathlib, sys
from pipelines.endpoint.spending.answer_store import Spent, Store
path, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sys.stdin.readline()
store = Store(path)
for number in range(count) if count else itertools.count():
    request = store.note_sent("run", name, Spent(1, 10, 20, 0.5))
    store.keep(f"{name} {number}", {"texts": ["향이 먼저 깬다" * 100, name, number]})
    store.note_outcome(request, "answered", Spent(1, 3, 4, 0.25))
    print(number, flush=True)
"""


def writer(path: Path, name: str, count: int = 0) -> subprocess.Popen[str]:
    """Starts once it is given a line; without a count it goes on until it is killed."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hanjul" / "answers.sqlite"


def test_an_answer_is_what_was_kept_last(path):
    store = Store(path)
    assert store.answer("a") is None
    kept = {"texts": ["향이 먼저 깬다", ""], "input_tokens": 3, "nothing": None, "of": [1.5, True]}
    store.keep("a", {"texts": []})
    store.keep("a", kept)
    store.keep("b", [])
    assert (store.answer("a"), store.answer("b"), store.answer("c")) == (kept, [], None)


def test_another_process_finds_what_was_kept(path):
    store = Store(path)
    store.keep("a", {"texts": ["향이 먼저 깬다"]})
    store.note_outcome(store.note_sent("run", "a", Spent(1, 100, 200, 1.0)), "answered", Spent(1, 30, 40, 0.5))
    store.note_sent("run", "b", Spent(1, 7, 8, 0.125))
    read = "import pathlib, sys; from pipelines.endpoint.spending.answer_store import Store; "
    read += "store = Store(pathlib.Path(sys.argv[1])); "
    read += "print(store.answer('a')['texts'], store.spent('run'))"
    found = subprocess.run([sys.executable, "-c", read, path], capture_output=True, text=True, check=True, cwd=ROOT)
    spent = "Spent(requests=2, input_tokens=37, output_tokens=48, usd=0.625)"
    assert found.stdout == f"['향이 먼저 깬다'] {spent}\n"
    store.close()
    assert Store(path).spent("run") == Spent(2, 37, 48, 0.625)


def test_the_ledger_sums_each_run_by_itself(path):
    store = Store(path)
    assert store.spent("run") == Spent(0, 0, 0, 0.0)
    first, second = (store.note_sent("run", "a", Spent(1, 10, 20, 0.5)) for _ in range(2))
    other = store.note_sent("other", "a", Spent(1, 1, 2, 4.0))
    assert len({first, second, other}) == 3
    assert store.spent("run") == Spent(2, 20, 40, 1.0)
    store.note_outcome(first, "answered", Spent(1, 7, 8, 0.25))
    store.note_outcome(second, "429", Spent(1, 0, 0, 0.0))
    assert store.spent("run") == Spent(2, 7, 8, 0.25)
    assert store.spent("other") == Spent(1, 1, 2, 4.0)
    with sqlite3.connect(path) as ledger:
        assert ledger.execute("select run, key, usd, outcome from requests order by id").fetchall() == [
            ("run", "a", 0.25, "answered"),
            ("run", "a", 0.0, "429"),
            ("other", "a", 4.0, "sent"),
        ]


def test_spent_adds_and_takes_away():
    one, other = Spent(1, 2, 3, 0.5), Spent(10, 20, 30, 0.25)
    assert one + other == Spent(11, 22, 33, 0.75)
    assert one + other - other == one
    assert Spent() + one == one


@pytest.mark.parametrize("written", [1, 25, 150])
def test_a_killed_writer_leaves_all_it_had_written(path, written):
    process = writer(path, "killed")
    process.stdin.write("\n")
    process.stdin.flush()
    said = [int(process.stdout.readline()) for _ in range(written)]
    os.kill(process.pid, signal.SIGKILL)
    said += [int(line) for line in process.stdout.read().splitlines()]
    assert process.wait() == -signal.SIGKILL
    assert said == list(range(len(said))) and len(said) >= written
    store = Store(path)
    for number in said:
        assert store.answer(f"killed {number}") == {"texts": ["향이 먼저 깬다" * 100, "killed", number]}
    spent = store.spent("run")
    # The kill may have come before, between or after the three writes of one more.
    more = spent.requests - len(said)
    assert more in (0, 1)
    assert spent in [
        Spent(len(said) + more, 3 * len(said) + tokens[0], 4 * len(said) + tokens[1], 0.25 * len(said) + usd)
        for tokens, usd in ([((10, 20), 0.5), ((3, 4), 0.25)] if more else [((0, 0), 0.0)])
    ]
    store.keep("later", [1])
    assert store.answer("later") == [1]
    with sqlite3.connect(path) as file:
        assert file.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_several_processes_make_and_write_one_file_at_once(path):
    processes = [writer(path, name, 100) for name in "가나다라"]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [(process.communicate()[1], process.returncode) for process in processes]
    assert ended == [("", 0)] * 4
    store = Store(path)
    for name in "가나다라":
        for number in range(100):
            assert store.answer(f"{name} {number}") == {"texts": ["향이 먼저 깬다" * 100, name, number]}
    assert store.spent("run") == Spent(400, 1200, 1600, 100.0)


def test_waits_for_a_process_that_is_making_the_file(path):
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    threading.Timer(0.2, other.close).start()
    Store(path).keep("a", [1])
    assert Store(path).answer("a") == [1]


def test_only_the_owner_reads_it(path):
    before = os.umask(0)
    try:
        store = Store(path)
        store.keep("a", [])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"answers.sqlite": 0o600, "answers.sqlite-wal": 0o600, "answers.sqlite-shm": 0o600}
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["answers.sqlite"]


def test_half_a_character_is_kept(path):
    store = Store(path)
    store.keep(key_of("who", {"messages": ["불\ud83d"]}), {"texts": ["불\ud83d"]})
    assert store.answer(key_of("who", {"messages": ["불\ud83d"]})) == {"texts": ["불\ud83d"]}


def test_a_key_names_who_is_asked_and_what():
    body = {"model": "m", "messages": [{"role": "user", "content": "상품"}], "n": 1}
    key = key_of("who", body)
    assert key == key_of("who", dict(reversed(body.items())))
    assert len(key) == 64 and int(key, 16)
    others = [key_of("whom", body), key_of("who", {**body, "n": 2}), key_of("who", {**body, "seed": 1})]
    halves = [key_of("who", {"text": half}) for half in ("\ud83d", "\ud83e", "\ufffd", "\\ud83d")]
    assert len({key, *others, *halves}) == 8


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=()))), st.text())
def test_any_text_has_a_key(body, identity):
    assert key_of(identity, body) == key_of(identity, dict(body))
    assert key_of(identity, body) != key_of(identity, {**body, "one more": "가"})
