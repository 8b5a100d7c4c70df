"""Commits, snapshots and refs. A commit is written inside the caller's transaction."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scripts.local_hub import git, refs
from scripts.local_hub.errors import ApiError, entry_not_found, revision_not_found
from scripts.local_hub.names import check_path
from scripts.local_hub.repos import Repo
from scripts.local_hub.store import now


@dataclass(frozen=True)
class Commit:
    sha: str
    parent: str | None
    tree: str
    title: str
    message: str
    date: str
    author: str

    @property
    def content(self) -> bytes:
        """As git keeps it; its hash is the commit's id."""
        text = f"{self.title}\n\n{self.message}" if self.message else self.title
        return git.commit_content(self.tree, self.parent, self.author, datetime.fromisoformat(self.date), text)


@dataclass(frozen=True)
class File:
    """A file of a snapshot. `oid` is git's id: of the content, or of the pointer of an LFS file."""

    path: str
    sha256: str
    size: int
    oid: str
    lfs: bool

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    @property
    def pointer_size(self) -> int:
        return len(git.lfs_pointer(self.sha256, self.size))


@dataclass(frozen=True)
class Deletion:
    path: str
    folder: bool


Operation = File | Deletion


def lfs_file(path: str, sha256: str, size: int) -> File:
    return File(path, sha256, size, git.blob_oid(git.lfs_pointer(sha256, size)), lfs=True)


def resolve(db: sqlite3.Connection, repo: Repo, revision: str) -> Commit:
    """Find the commit that a branch, tag, full ref, sha or sha prefix of 7 digits and more names."""
    for ref in (refs.BRANCH + revision, refs.TAG + revision, revision):
        row = db.execute("SELECT sha FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone()
        if row:
            return _commit(db, repo, row["sha"])
    if re.fullmatch(r"[0-9a-f]{7,40}", revision):
        rows = db.execute(
            "SELECT sha FROM commits WHERE repo = ? AND sha >= ? AND sha < ? LIMIT 2",
            (repo.id, revision, revision + "g"),
        ).fetchall()
        if len(rows) == 1:
            return _commit(db, repo, rows[0]["sha"])
    raise revision_not_found(revision)


def files_of(db: sqlite3.Connection, tree: str) -> dict[str, File]:
    """All files of a snapshot by path, in byte order of their paths."""
    rows = db.execute("SELECT path, sha256, size, oid, lfs FROM trees WHERE tree = ? ORDER BY path", (tree,))
    return {row["path"]: _file(row) for row in rows}


def file_of(db: sqlite3.Connection, tree: str, path: str) -> File | None:
    row = db.execute(
        "SELECT path, sha256, size, oid, lfs FROM trees WHERE tree = ? AND path = ?", (tree, path)
    ).fetchone()
    return _file(row) if row else None


def files_from(db: sqlite3.Connection, tree: str, prefix: str) -> dict[str, File]:
    """Files whose paths begin so, without a look at the others."""
    rows = db.execute(
        "SELECT path, sha256, size, oid, lfs FROM trees WHERE tree = ? AND path >= ? AND path < ?",
        (tree, prefix, f"{prefix}\U0010ffff"),
    )
    return {row["path"]: _file(row) for row in rows}


def history(db: sqlite3.Connection, repo: Repo, sha: str, offset: int = 0, limit: int = -1) -> list[Commit]:
    """The commit and its ancestors, newest first; `limit=-1` is all."""
    rows = db.execute(
        """
        WITH RECURSIVE line (sha, parent, tree, title, message, date, author, depth) AS (
            SELECT sha, parent, tree, title, message, date, author, 0 FROM commits WHERE repo = :repo AND sha = :sha
            UNION ALL
            SELECT c.sha, c.parent, c.tree, c.title, c.message, c.date, c.author, depth + 1
            FROM line JOIN commits c ON c.repo = :repo AND c.sha = line.parent
        )
        SELECT sha, parent, tree, title, message, date, author FROM line ORDER BY depth LIMIT :limit OFFSET :offset
        """,
        {"repo": repo.id, "sha": sha, "limit": limit, "offset": offset},
    )
    return [Commit(**row) for row in rows]


def write(
    db: sqlite3.Connection,
    repo: Repo,
    branch: str,
    operations: Iterable[Operation],
    author: str,
    title: str,
    message: str = "",
    expected_parent: str | None = None,
) -> Commit:
    """Apply the operations to the branch's head and move it; 412 when the head is not `expected_parent`."""
    head = resolve(db, repo, refs.branch_ref(branch))
    if expected_parent is not None and not head.sha.startswith(expected_parent):
        raise ApiError(
            412,
            "PreconditionFailed",
            "The branch was updated since you opened this page. Please refresh and try again.",
        )
    files = files_of(db, head.tree)
    for operation in operations:
        if isinstance(operation, File):
            files[check_path(operation.path)] = operation
        else:
            _delete(files, operation, head)
    return add(db, repo, branch, files, author, title, message, parent=head.sha)


def _delete(files: dict[str, File], deletion: Deletion, head: Commit) -> None:
    """Drop a file, or all in a folder; like the Hub, take the name of a folder for it where no file has it."""
    if not deletion.folder and deletion.path in files:
        del files[deletion.path]
        return
    inside = [path for path in files if path.startswith(deletion.path.rstrip("/") + "/")]
    if not inside:
        raise entry_not_found(deletion.path, head.sha)
    for path in inside:
        del files[path]


def add(
    db: sqlite3.Connection,
    repo: Repo,
    branch: str,
    files: Mapping[str, File],
    author: str,
    title: str,
    message: str = "",
    parent: str | None = None,
) -> Commit:
    """Write a commit with exactly these files and point the branch at it."""
    folders = git.tree_oids(_without_clashes(files))
    date = now()
    text = f"{title}\n\n{message}" if message else title
    sha = git.commit_oid(folders[""], parent, author, datetime.fromisoformat(date), text)
    commit = Commit(sha, parent, folders[""], title, message, date, author)
    store(db, repo, commit, files)
    refs.set_ref(db, repo, refs.branch_ref(branch), sha)
    return commit


def store(db: sqlite3.Connection, repo: Repo, commit: Commit, files: Mapping[str, File]) -> None:
    """Keep a commit and its snapshot; no ref names it yet."""
    db.executemany(
        "INSERT OR IGNORE INTO trees VALUES (?, ?, ?, ?, ?, ?)",
        ((commit.tree, file.path, file.sha256, file.size, file.oid, file.lfs) for file in files.values()),
    )
    db.execute(
        "INSERT OR IGNORE INTO commits (repo, sha, parent, tree, title, message, date, author) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (repo.id, commit.sha, commit.parent, commit.tree, commit.title, commit.message, commit.date, commit.author),
    )


def copy_history(db: sqlite3.Connection, old: Repo, new: Repo) -> None:
    """Give a new repo the commits, branches and tags of another; not its pull requests."""
    db.execute(
        "INSERT INTO commits (repo, sha, parent, tree, title, message, date, author) "
        "SELECT ?, sha, parent, tree, title, message, date, author FROM commits WHERE repo = ?",
        (new.id, old.id),
    )
    query = "INSERT INTO refs SELECT ?, ref, sha FROM refs WHERE repo = ? AND ref NOT LIKE 'refs/pr/%'"
    db.execute(query, (new.id, old.id))


def _without_clashes(files: Mapping[str, File]) -> dict[str, str]:
    for path in files:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder in files:
                raise ApiError(422, "InvalidPath", f"{folder!r} would be a file and a folder")
    return {path: file.oid for path, file in files.items()}


def _commit(db: sqlite3.Connection, repo: Repo, sha: str) -> Commit:
    row = db.execute(
        "SELECT sha, parent, tree, title, message, date, author FROM commits WHERE repo = ? AND sha = ?",
        (repo.id, sha),
    ).fetchone()
    return Commit(**row)


def _file(row: sqlite3.Row) -> File:
    return File(row["path"], row["sha256"], row["size"], row["oid"], bool(row["lfs"]))
