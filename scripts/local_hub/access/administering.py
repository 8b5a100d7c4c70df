"""Change users and tokens from outside the server: their tables are the only thing that it shares."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from scripts.local_hub.store import connect, prepare, transaction


@contextmanager
def changing(store: Path) -> Iterator[sqlite3.Connection]:
    """The store's database in one transaction, whether it is served or not."""
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(connect(store)) as db:
        prepare(db)
        with transaction(db):
            yield db
