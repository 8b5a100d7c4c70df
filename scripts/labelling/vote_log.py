"""Log votes on this machine as they are given: append-only, in SQLite. What is in it survives a kill."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from model_card.comparison.agreement import Vote
from pipelines.errors import HanjulError

#: A vote, or with an empty body that the one before it was taken back.
SCHEMA = "create table if not exists log (id integer primary key, key text not null, vote text)"
BUSY_S = 30

_VOTE = TypeAdapter(Vote)


class VoteLog:
    """The log of the votes for one repo; several processes and threads may write to it.

    Args:
        path: the SQLite file; made with its folder when missing, readable by its owner alone.

    Raises:
        HanjulError: the file is something else.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute(SCHEMA)  # no write-ahead log and synchronous=full: a vote is on the disk when it is in
        except sqlite3.DatabaseError as error:
            raise HanjulError(f"The votes cannot be read: {error}", str(path), "move the file away") from error
        path.chmod(0o600)

    def add(self, vote: Vote) -> None:
        """Keep a vote; a person's later one on the same item and question replaces it."""
        self._append(vote, json.dumps(asdict(vote)))

    def withdraw(self, vote: Vote) -> None:
        """Take a vote back."""
        self._append(vote, None)

    def votes(self) -> list[Vote]:
        """The votes that stand, the oldest first."""
        last = (
            "select vote from log where id in (select max(id) from log group by key) and vote is not null order by id"
        )
        with self._lock:
            return [_VOTE.validate_json(body) for (body,) in self._db.execute(last)]

    def answered(self, voter: str, question: str) -> set[str]:
        """Ids of the items on which a person's vote stands."""
        return {vote.item for vote in self.votes() if (vote.voter, vote.question) == (voter, question)}

    def close(self) -> None:
        self._db.close()

    def _append(self, vote: Vote, body: str | None) -> None:
        key = json.dumps([vote.voter, vote.item, vote.question], ensure_ascii=False)
        with self._lock:
            self._db.execute("insert into log (key, vote) values (?, ?)", (key, body))
