"""Keeps what was paid for: answers by request, and a ledger of the requests that left. SQLite, write-ahead log.

Every write is a transaction of its own, so a kill at any moment loses only what was in flight. Several processes may
use one file at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.spending.store_file import BUSY_S, PROMPT_S, open_file

#: Requests that a process waits for: those of a key, those of a run.
_IN_FLIGHT = "select id, owner, sent from requests indexed by in_flight where outcome = 'sent' and owner is not null"
IN_FLIGHT_BY_KEY, IN_FLIGHT_BY_RUN = f"{_IN_FLIGHT} and key = ?", f"{_IN_FLIGHT} and run = ?"
#: Seconds by which the start of a process may be told too late.
TOLERANCE_S = 1.0


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
class Reservation:
    """Whether a request may leave.

    Attributes:
        number: under which it is noted in the ledger; 0 where it is not, and must not leave.
        spent: what its run has taken with it, at most.
        answer: what was kept meanwhile, by whoever asked the same; None if nothing was.
        passed: the limit that it might pass, in words.
        wait: it may be another matter in a while: the same is in flight, or what is in flight may turn out cheaper.
    """

    number: int = 0
    spent: Spent = field(default_factory=Spent)
    answer: Any = None
    passed: str = ""
    wait: bool = False


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
        self._db = open_file(path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that writes: all or nothing, and nobody else writes meanwhile."""
        with self._db:
            self._db.execute("begin immediate")
            yield

    @contextmanager
    def prompt(self) -> Iterator[None]:
        """Do not wait for long in the block where another process holds the file: see `store_file.is_busy`."""
        self._db.execute(f"pragma busy_timeout = {PROMPT_S * 1000:.0f}")
        try:
            yield
        finally:
            self._db.execute(f"pragma busy_timeout = {BUSY_S * 1000:.0f}")

    def answer(self, key: str) -> Any:
        """What was kept under a key, or None."""
        row = self._db.execute("select body from answers where key = ?", (key,)).fetchone()
        return json.loads(row[0].decode("utf-8", "surrogatepass")) if row else None

    def keep(self, key: str, answer: Any) -> None:
        """Keep an answer (JSON values only) for ever; the last one wins."""
        body = json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._db.execute("insert or replace into answers values (?, ?)", (key, body))

    def forget(self, key: str) -> None:
        """Drop an answer that is of no use, so that it is asked for again."""
        self._db.execute("delete from answers where key = ?", (key,))

    def reserve(
        self, run: str, key: str, most: Spent, passed_by: Callable[[Spent], str], patience: float
    ) -> Reservation:
        """Note a request before it leaves, as `note_sent` does, unless it is answered, in flight or past a limit.

        No other process comes between the question and the note. A process that is gone leaves what it had in flight
        counted at its most, and holds nobody up.

        Args:
            passed_by: which limit the run passes by a request like this, in words, from what it has taken so far.
            patience: seconds after which what is in flight elsewhere counts as lost, though its process lives.
        """
        with self._writing():
            if (answer := self.answer(key)) is not None:
                return Reservation(answer=answer)
            if self._any_in_flight(IN_FLIGHT_BY_KEY, key, patience):
                return Reservation(wait=True)
            spent = self.spent(run)
            if passed := passed_by(spent):
                return Reservation(passed=passed, wait=self._any_in_flight(IN_FLIGHT_BY_RUN, run, patience))
            return Reservation(self.note_sent(run, key, most, os.getpid()), spent + most)

    def _any_in_flight(self, query: str, value: str, patience: float) -> bool:
        """Whether somebody waits for an answer; requests that nobody waits for any more are noted as lost."""
        found = False
        for number, owner, sent in self._db.execute(query, (value,)).fetchall():
            if time.time() - sent < patience and is_running(owner, sent):
                found = True
            else:
                self._db.execute("update requests set outcome = 'lost' where id = ?", (number,))
        return found

    def note_sent(self, run: str, key: str, spent: Spent, owner: int | None = None) -> int:
        """Note a request before it leaves, with what it may cost at most.

        Args:
            owner: process that waits for the answer; None where none does.

        Returns:
            The number under which `note_outcome` finds it.
        """
        row = (run, key, time.time(), spent.input_tokens, spent.output_tokens, spent.usd, "sent", owner)
        cursor = self._db.execute(
            "insert into requests (run, key, sent, input_tokens, output_tokens, usd, outcome, owner)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return int(cursor.lastrowid or 0)

    def settle(self, run: str, key: str, number: int, outcome: str, spent: Spent, answer: Any) -> Spent:
        """Note what came of a request, its cost and, unless that is None, its answer; what the run has taken now."""
        with self._writing():
            if answer is not None:
                self.keep(key, answer)
            self.note_outcome(number, outcome, spent)
            return self.spent(run)

    def note_outcome(self, number: int, outcome: str, spent: Spent) -> None:
        """Note what came of a request, and what it cost."""
        self._db.execute(
            "update requests set input_tokens = ?, output_tokens = ?, usd = ?, outcome = ? where id = ?",
            (spent.input_tokens, spent.output_tokens, spent.usd, outcome, number),
        )

    def spent(self, run: str) -> Spent:
        """The sums over all requests of a run, of other processes too; those in flight count at their most."""
        query = "select requests, input_tokens, output_tokens, usd from runs where run = ?"
        row = self._db.execute(query, (run,)).fetchone()
        return Spent(*row) if row else Spent()

    def plan_batch(
        self, run: str, identity: str, requests: Mapping[str, Spent], passed_by: Callable[[Spent], str] = lambda _: ""
    ) -> Batch:
        """Note a batch before it leaves, and its requests as `note_sent` does.

        Args:
            identity: names who answers; whoever asks the same may finish the batch.
            requests: key -> what it may cost at most.
            passed_by: see `reserve`, for a request like all of these.

        Raises:
            BudgetSpentError: the run would pass a limit by now.
        """
        with self._writing():
            if passed := passed_by(self.spent(run)):
                raise BudgetSpentError(passed)
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
        with self._writing():
            self._db.execute("delete from batches where id = ?", (batch.id,))
            self._db.executemany("delete from requests where id = ?", ((number,) for number in batch.ledger))

    def finish_batch(
        self, batch: Batch, answers: Mapping[str, Any], outcomes: Iterable[tuple[int, str, Spent | None]]
    ) -> None:
        """Keep what a batch brought and strike it off, all or nothing; a second time changes nothing.

        Args:
            outcomes: number, what came of the request, and what it cost; None where it may be the most.
        """
        with self._writing():
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


def is_running(process: int, sent: float) -> bool:
    """Whether the process that sent something at that time is still there: its number may be another's by now."""
    try:
        found = psutil.Process(process)
        return bool(found.create_time() <= sent + TOLERANCE_S and found.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def key_of(identity: str, body: Mapping[str, Any]) -> str:
    """Digest of who is asked and what: 64 hex digits.

    Args:
        identity: names the model and where it runs, and outlives the address: an embedded teacher has another port each
            time.
        body: of the request.
    """
    content = json.dumps([identity, body], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
