"""Keeps what was paid for: answers by request, and a ledger of the requests that left. SQLite, write-ahead log.

Every write is a transaction of its own, so a kill at any moment loses only what was in flight. Several processes may
use one file at a time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists answers (key text primary key, body blob not null) without rowid;
create table if not exists requests (
    id integer primary key, run text not null, key text not null, sent real not null,
    input_tokens integer not null, output_tokens integer not null, usd real not null, outcome text not null
);
create table if not exists batches (
    id text primary key, run text not null, identity text not null, jobs text not null, keys text not null,
    ledger text not null
);
"""
#: Seconds to wait for another process that writes.
BUSY_S = 30


@dataclass(frozen=True)
class Spent:
    """What requests took. One without an answer counts as what it may have cost at most."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
        )

    def __sub__(self, other: Spent) -> Spent:
        return self + Spent(-other.requests, -other.input_tokens, -other.output_tokens, -other.usd)


@dataclass(frozen=True)
class Batch:
    """Requests that go to the provider together.

    Attributes:
        id: ours, which the provider keeps with it.
        jobs: the provider's ids, one for each file; none while it is planned.
        keys: of the requests, in their order.
        ledger: the numbers of the requests, in the same order.
    """

    id: str
    jobs: list[str]
    keys: list[str]
    ledger: list[int]


class Store:
    """Answers by the digest of what was asked, and the ledger.

    Attributes:
        path: the SQLite file; made with its folder when missing, readable by its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        self._begin()
        self._db.execute("pragma synchronous = normal")  # safe against a kill; a power cut may lose the last moments
        self._db.executescript(SCHEMA)

    def _begin(self) -> None:
        """Turn the write-ahead log on. SQLite itself does not wait for another process here."""
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                self._db.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def answer(self, key: str) -> Any:
        """What was kept under a key, or None."""
        row = self._db.execute("select body from answers where key = ?", (key,)).fetchone()
        return json.loads(row[0].decode("utf-8", "surrogatepass")) if row else None

    def keep(self, key: str, answer: Any) -> None:
        """Keep an answer (JSON values only) for ever; the last one wins."""
        body = json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._db.execute("insert or replace into answers values (?, ?)", (key, body))

    def note_sent(self, run: str, key: str, spent: Spent) -> int:
        """Note a request before it leaves, with what it may cost at most.

        Returns:
            The number under which `note_outcome` finds it.
        """
        row = (run, key, time.time(), spent.input_tokens, spent.output_tokens, spent.usd, "sent")
        cursor = self._db.execute(
            "insert into requests (run, key, sent, input_tokens, output_tokens, usd, outcome)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return int(cursor.lastrowid or 0)

    def note_outcome(self, number: int, outcome: str, spent: Spent) -> None:
        """Note what came of a request, and what it cost."""
        self._db.execute(
            "update requests set input_tokens = ?, output_tokens = ?, usd = ?, outcome = ? where id = ?",
            (spent.input_tokens, spent.output_tokens, spent.usd, outcome, number),
        )

    def spent(self, run: str) -> Spent:
        """The sums over all requests of a run, of earlier processes too."""
        row = self._db.execute(
            "select count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(usd), 0)"
            " from requests where run = ?",
            (run,),
        ).fetchone()
        return Spent(*row)

    def plan_batch(self, run: str, identity: str, requests: Mapping[str, Spent]) -> Batch:
        """Note a batch before it leaves, and its requests as `note_sent` does.

        Args:
            identity: names who answers; whoever asks the same may finish the batch.
            requests: key -> what it may cost at most.
        """
        with self._db:
            self._db.execute("begin immediate")
            ledger = [self.note_sent(run, key, most) for key, most in requests.items()]
            batch = Batch(uuid.uuid4().hex, [], list(requests), ledger)
            row = (batch.id, run, identity, *map(json.dumps, (batch.jobs, batch.keys, batch.ledger)))
            self._db.execute("insert into batches values (?, ?, ?, ?, ?, ?)", row)
        return batch

    def batches(self, identity: str) -> list[Batch]:
        """Batches that are planned or under way, of all runs, the oldest first."""
        rows = self._db.execute(
            "select id, jobs, keys, ledger from batches where identity = ? order by rowid", (identity,)
        )
        return [Batch(row[0], *map(json.loads, row[1:])) for row in rows]

    def note_jobs(self, batch: Batch, jobs: list[str]) -> None:
        """Note that the provider has a planned batch."""
        self._db.execute("update batches set jobs = ? where id = ?", (json.dumps(jobs), batch.id))

    def drop_batch(self, batch: Batch) -> None:
        """Forget a planned batch that never left, in the ledger too."""
        with self._db:
            self._db.execute("begin immediate")
            self._db.execute("delete from batches where id = ?", (batch.id,))
            self._db.executemany("delete from requests where id = ?", ((number,) for number in batch.ledger))

    def finish_batch(
        self, batch: Batch, answers: Mapping[str, Any], outcomes: Iterable[tuple[int, str, Spent | None]]
    ) -> None:
        """Keep what a batch brought and strike it off, all or nothing; a second time changes nothing.

        Args:
            outcomes: number, what came of the request, and what it cost; None where it may be the most.
        """
        with self._db:
            self._db.execute("begin immediate")
            for key, answer in answers.items():
                self.keep(key, answer)
            for number, outcome, spent in outcomes:
                if spent:
                    self.note_outcome(number, outcome, spent)
                else:
                    self._db.execute("update requests set outcome = ? where id = ?", (outcome, number))
            self._db.execute("delete from batches where id = ?", (batch.id,))

    def close(self) -> None:
        """Close the file; the log is folded into it."""
        self._db.close()


def key_of(identity: str, body: Mapping[str, Any]) -> str:
    """Digest of who is asked and what: 64 hex digits.

    Args:
        identity: names the model and where it runs, and outlives the address: an embedded teacher has another port each
            time.
        body: of the request.
    """
    content = json.dumps([identity, body], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
