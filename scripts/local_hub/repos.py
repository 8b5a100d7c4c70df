"""Repos in the database: create, find, list, rename, delete."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Literal

from scripts.local_hub.errors import RepoMoved, conflict, repo_not_found
from scripts.local_hub.identity.callers import OWNER, Caller
from scripts.local_hub.names import WEB_PREFIX, Kind
from scripts.local_hub.store import now

Gated = Literal["auto", "manual"] | None


@dataclass(frozen=True)
class Repo:
    """A row of `repos`. `id` is the database's key, `repo_id` is `namespace/name`."""

    id: int
    kind: Kind
    repo_id: str
    visibility: str
    gated: Gated
    created_at: str
    sdk: str | None
    hardware: str | None
    sleep_time: int | None
    downloads: int

    @property
    def private(self) -> bool:
        return self.visibility == "private"

    @property
    def web_path(self) -> str:
        return f"/{WEB_PREFIX[self.kind]}{self.repo_id}"


def create(
    db: sqlite3.Connection, kind: Kind, repo_id: str, visibility: str, sdk: str | None, hardware: str | None
) -> Repo:
    """Add a repo without commits; 409 when the name is taken (names differ by more than case)."""
    taken = db.execute("SELECT repo_id FROM repos WHERE kind = ? AND repo_id = ?", (kind, repo_id)).fetchone()
    if taken:
        raise conflict("You already created this repo", repo_id=taken["repo_id"])
    db.execute("DELETE FROM moves WHERE kind = ? AND old_id = ?", (kind, repo_id))
    db.execute(
        "INSERT INTO repos (kind, repo_id, visibility, created_at, sdk, hardware) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, repo_id, visibility, now(), sdk, hardware),
    )
    return find(db, kind, repo_id, OWNER)


def find(db: sqlite3.Connection, kind: Kind, repo_id: str, caller: Caller) -> Repo:
    """Return the repo; a private one does not exist for callers who may not read it."""
    row = db.execute("SELECT * FROM repos WHERE kind = ? AND repo_id = ?", (kind, repo_id)).fetchone()
    if row is None:
        row = db.execute(
            "SELECT repos.* FROM moves JOIN repos ON repos.id = moves.repo WHERE moves.kind = ? AND old_id = ?",
            (kind, repo_id),
        ).fetchone()
        if row is None or not _visible(Repo(**row), caller):
            raise repo_not_found()
        raise RepoMoved(repo_id, row["repo_id"])
    repo = Repo(**row)
    if not _visible(repo, caller):
        raise repo_not_found()
    return repo


def list_visible(
    db: sqlite3.Connection,
    kind: Kind,
    caller: Caller,
    *,
    author: str | None = None,
    search: str | None = None,
) -> list[Repo]:
    """Repos that the caller may see, newest first."""
    rows = db.execute("SELECT * FROM repos WHERE kind = ? ORDER BY id DESC", (kind,))
    words = re.split(r"\s+", search.lower().strip()) if search else []
    return [
        repo
        for repo in (Repo(**row) for row in rows)
        if _visible(repo, caller)
        and (author is None or repo.repo_id.split("/")[0].lower() == author.lower())
        and all(word in repo.repo_id.lower() for word in words)
    ]


def _visible(repo: Repo, caller: Caller) -> bool:
    return not repo.private or caller.sees(repo.kind, repo.repo_id)


def move(db: sqlite3.Connection, repo: Repo, new_id: str) -> None:
    """Rename; the old name redirects until it is taken again."""
    taken = db.execute(
        "SELECT id FROM repos WHERE kind = ? AND repo_id = ? AND id != ?", (repo.kind, new_id, repo.id)
    ).fetchone()
    if taken:
        raise conflict(f"A {repo.kind.removesuffix('s')} repository called {new_id} already exists")
    db.execute("DELETE FROM moves WHERE kind = ? AND old_id = ?", (repo.kind, new_id))
    db.execute("UPDATE repos SET repo_id = ? WHERE id = ?", (new_id, repo.id))
    db.execute("INSERT OR REPLACE INTO moves VALUES (?, ?, ?)", (repo.kind, repo.repo_id, repo.id))


def delete(db: sqlite3.Connection, repo: Repo) -> None:
    db.execute("DELETE FROM repos WHERE id = ?", (repo.id,))
