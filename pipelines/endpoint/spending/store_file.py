"""Opens the SQLite file of answers and ledger: makes it, upgrades an older one, turns the write-ahead log on."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from pipelines.errors import HanjulError

#: Seconds to wait for another process that writes, and the share of a wait that may be spent without giving way.
BUSY_S, PROMPT_S = 30.0, 0.05
#: Of the tables as they are now, in the file's `user_version`; the first ones had none.
VERSION = 1
SCHEMA = (
    "create table if not exists answers (key text primary key, body blob not null) without rowid",
    """create table if not exists requests (
    id integer primary key, run text not null, key text not null, sent real not null,
    input_tokens integer not null, output_tokens integer not null, usd real not null, outcome text not null
)""",
    """create table if not exists batches (
    id text primary key, run text not null, identity text not null, jobs text not null, keys text not null,
    ledger text not null
)""",
    # Process that waits for the answer; none for requests of a batch, which nobody waits for.
    "alter table requests add column owner integer",
    "create index in_flight on requests (key) where outcome = 'sent' and owner is not null",
    # Sums over the requests of a run, for which to look at each before every request would take too long. Triggers keep
    # them, so that processes of an older version do, too.
    """create table runs (
    run text primary key, requests integer not null, input_tokens integer not null, output_tokens integer not null,
    usd real not null
) without rowid""",
    "insert into runs select run, count(*), sum(input_tokens), sum(output_tokens), sum(usd) from requests group by run",
    """create trigger request_added after insert on requests begin
    insert into runs values (new.run, 1, new.input_tokens, new.output_tokens, new.usd) on conflict (run) do update set
    requests = requests + 1, input_tokens = input_tokens + new.input_tokens,
    output_tokens = output_tokens + new.output_tokens, usd = usd + new.usd;
end""",
    """create trigger request_settled after update of input_tokens, output_tokens, usd on requests begin
    update runs set input_tokens = input_tokens + new.input_tokens - old.input_tokens,
    output_tokens = output_tokens + new.output_tokens - old.output_tokens, usd = usd + (new.usd - old.usd)
    where run = new.run;
end""",
    """create trigger request_dropped after delete on requests begin
    update runs set requests = requests - 1, input_tokens = input_tokens - old.input_tokens,
    output_tokens = output_tokens - old.output_tokens, usd = usd - old.usd where run = old.run;
end""",
    f"pragma user_version = {VERSION}",
)


def open_file(path: Path) -> sqlite3.Connection:
    """A connection that commits each statement by itself; the file is readable by its owner alone.

    Raises:
        HanjulError: it is no such file, or damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        path.chmod(0o600)
        _log_ahead(connection)
        connection.execute("pragma synchronous = normal")  # safe against a kill; a power cut may lose the last moments
        _upgrade(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            raise HanjulError(
                f"The file of kept answers cannot be read: {error}",
                str(path),
                "move it away to begin a new one, whose answers are paid anew, or put a copy of it back",
            ) from error
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite itself does not wait for another process here."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(PROMPT_S)


def _upgrade(connection: sqlite3.Connection) -> None:
    if _version(connection) < VERSION:
        with connection:
            connection.execute("begin immediate")
            if _version(connection) < VERSION:  # else another process did it meanwhile
                for statement in SCHEMA:
                    connection.execute(statement)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another process holds the file."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
