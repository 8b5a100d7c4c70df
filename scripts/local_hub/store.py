"""Open a store on disk: the database, the blobs, the token and the id of one local Hub."""

import os
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scripts.local_hub import blobs
from scripts.local_hub.tables.access import SCHEMA as _ACCESS
from scripts.local_hub.tables.discussions import SCHEMA as _DISCUSSIONS
from scripts.local_hub.tables.hooks import SCHEMA as _HOOKS
from scripts.local_hub.xet.stash import Stash

_SCHEMA = """
CREATE TABLE IF NOT EXISTS repos (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    repo_id TEXT NOT NULL COLLATE NOCASE,
    visibility TEXT NOT NULL,
    gated TEXT,
    created_at TEXT NOT NULL,
    sdk TEXT,
    hardware TEXT,
    sleep_time INTEGER,
    UNIQUE (kind, repo_id)
);
CREATE TABLE IF NOT EXISTS moves (
    kind TEXT NOT NULL,
    old_id TEXT NOT NULL COLLATE NOCASE,
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    PRIMARY KEY (kind, old_id)
);
CREATE TABLE IF NOT EXISTS commits (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    sha TEXT NOT NULL,
    parent TEXT,
    tree TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    date TEXT NOT NULL,
    PRIMARY KEY (repo, sha)
) WITHOUT ROWID;
-- Every file of a snapshot, named by git's id of the root tree: equal snapshots are stored once.
CREATE TABLE IF NOT EXISTS trees (
    tree TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    oid TEXT NOT NULL,
    lfs INTEGER NOT NULL,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refs (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    ref TEXT NOT NULL,
    sha TEXT NOT NULL,
    PRIMARY KEY (repo, ref)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS space_settings (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    family TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    description TEXT,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (repo, family, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collections (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    private INTEGER NOT NULL,
    theme TEXT NOT NULL,
    position INTEGER NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS collection_items (
    id TEXT PRIMARY KEY,
    collection TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
    item_id TEXT NOT NULL,
    item_type TEXT NOT NULL,
    note TEXT,
    position INTEGER NOT NULL,
    UNIQUE (collection, item_id, item_type)
);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    spec TEXT NOT NULL,
    created_at TEXT NOT NULL
);
"""
# Columns that came after their table: stores of before get them when they are opened.
_LATER_COLUMNS = (
    ("commits", "author", "TEXT NOT NULL DEFAULT 'local'"),
    ("repos", "downloads", "INTEGER NOT NULL DEFAULT 0"),
)


@dataclass(frozen=True)
class Store:
    """One local Hub's data. `reading` and `writing` give connections; a write is one transaction.

    Attributes:
        changed: is set after each write.
    """

    folder: Path
    id: str
    token: str
    xet: Stash
    changed: threading.Event = field(default_factory=threading.Event)
    _write_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with closing(connect(self.folder)) as db:
            # One transaction: a reply that takes several queries sees one state.
            db.execute("BEGIN")
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit on leaving, roll back on an error."""
        with self._write_lock, closing(connect(self.folder)) as db, transaction(db):
            yield db
        self.changed.set()


def open_store(folder: Path) -> Store:
    """Create or open the store, drop what interrupted uploads and deleted repos left behind."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = f"hf_local_{secrets.token_hex(20)}"
    store = Store(
        folder,
        id=_read_or_create(folder / "id", uuid.uuid4().hex),
        token=_read_or_create(folder / "token", token),
        xet=Stash(folder / "xet", folder / "blobs"),
    )
    blobs.prepare(store.blobs)
    with closing(connect(folder)) as db:
        prepare(db)
        db.execute("DELETE FROM trees WHERE tree NOT IN (SELECT tree FROM commits)")
        used = {row["sha256"] for row in db.execute("SELECT DISTINCT sha256 FROM trees")}
        if blobs.sweep(store.blobs, used):
            store.xet.forget()
    return store


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit on leaving, roll back on an error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables and columns that are not there."""
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(_SCHEMA + _ACCESS + _DISCUSSIONS + _HOOKS)
    for table, column, declaration in _LATER_COLUMNS:
        if column not in (row["name"] for row in db.execute(f"PRAGMA table_info({table})")):
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")


def now() -> str:
    """The time as the Hub writes it: `2026-11-22T08:14:00.000Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def connect(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "hub.sqlite", timeout=30, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _read_or_create(path: Path, value: str) -> str:
    """Write `value` to a file that only the owner reads, unless it is there; return what the file holds."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path.read_text().strip()
