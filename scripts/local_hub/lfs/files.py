"""List the LFS files that a repo's history has."""

import sqlite3
from dataclasses import dataclass

from scripts.local_hub import commits
from scripts.local_hub.repos import Repo


@dataclass(frozen=True)
class StoredFile:
    """A content in LFS. `path` and `ref` are where it was first seen; `pushed_at` is the date of that commit."""

    sha256: str
    path: str
    size: int
    pushed_at: str
    ref: str


def of_repo(db: sqlite3.Connection, repo: Repo) -> list[StoredFile]:
    """The newest first. A content on several branches is listed once, as the one of `main` if it is there."""
    refs = db.execute("SELECT ref, sha FROM refs WHERE repo = ? ORDER BY ref != 'refs/heads/main', ref", (repo.id,))
    found: dict[str, StoredFile] = {}
    for ref in refs.fetchall():
        of_ref: dict[str, StoredFile] = {}
        for commit in commits.history(db, repo, ref["sha"]):
            for file in commits.files_of(db, commit.tree).values():
                if file.lfs:  # older ones come later and win
                    stored = StoredFile(file.sha256, file.path, file.size, commit.date, ref["ref"])
                    of_ref[file.sha256] = stored
        found = of_ref | found
    return sorted(found.values(), key=lambda file: file.pushed_at, reverse=True)


def has(db: sqlite3.Connection, repo: Repo, sha256: str) -> bool:
    """Whether a commit of the repo has this content: of others nothing is told."""
    query = "SELECT 1 FROM commits WHERE repo = ? AND tree IN (SELECT tree FROM trees WHERE sha256 = ?) LIMIT 1"
    return db.execute(query, (repo.id, sha256)).fetchone() is not None
