"""Pull requests: open one, show what it changes, merge it."""

import difflib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.local_hub import commits, git, refs
from scripts.local_hub.blobs import path_of
from scripts.local_hub.commits import Commit, File
from scripts.local_hub.discussions import threads
from scripts.local_hub.discussions.records import Event, Thread
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.repos import Repo

#: Bytes of a file whose lines a diff shows.
_MOST_SHOWN = 1 << 20

Files = Mapping[str, File]


def open_pull(
    db: sqlite3.Connection, repo: Repo, title: str, description: str, author: str, branch: str, sha: str | None = None
) -> Thread:
    """Begin a pull request for a branch, with a ref of its own.

    Args:
        sha: commit to begin at; the branch's head by default.

    Raises:
        ApiError: 404, there is no such branch or commit.
    """
    base = refs.branch_ref(branch)
    head = commits.resolve(db, repo, base)
    begin = commits.resolve(db, repo, sha) if sha else head
    thread = threads.start(db, repo, title, description, author, (base, begin.sha))
    refs.set_ref(db, repo, thread.ref, begin.sha)
    return thread


def note_commit(db: sqlite3.Connection, repo: Repo, ref: str, commit: Commit) -> None:
    """Tell a pull request of a commit on its ref.

    Raises:
        ApiError: 400, it is merged or closed: what is committed now would never be seen.
    """
    if (thread := threads.of_ref(db, repo, ref)) is None:
        return
    if thread.is_over:
        raise bad_request(f"The pull request {thread.num} is {thread.status}.")
    threads.add(db, repo, thread, "commit", commit.author, {"subject": commit.title, "oid": commit.sha})


def conflicts(db: sqlite3.Connection, repo: Repo, thread: Thread) -> list[str]:
    """Files that the pull request and its branch have changed differently since it began."""
    begin, mine, theirs = _sides(db, repo, thread)
    changed = _changed(begin, mine)
    return sorted(path for path in changed & _changed(begin, theirs) if _oid(mine, path) != _oid(theirs, path))


def merge(db: sqlite3.Connection, repo: Repo, thread: Thread, comment: str, author: str) -> Event:
    """Commit what a pull request changes to its branch.

    Raises:
        ApiError: 400 where it is no open pull request, 409 where files conflict.
    """
    if thread.base is None or thread.status != "open":
        raise bad_request(f"Only an open pull request can be merged; number {thread.num} is {thread.status}.")
    if files := conflicts(db, repo, thread):
        raise ApiError(409, "Conflict", f"These files were changed on both sides: {', '.join(files[:20])}")
    begin, mine, theirs = _sides(db, repo, thread)
    merged = dict(theirs)
    for path in _changed(begin, mine):
        if path in mine:
            merged[path] = mine[path]
        else:
            merged.pop(path, None)
    head = commits.resolve(db, repo, thread.base)
    title = f"{thread.title} (#{thread.num})"
    new = commits.add(db, repo, thread.base, merged, author, title, comment, parent=head.sha)
    if comment:
        threads.comment(db, repo, thread, comment, author)
    return threads.set_status(db, repo, thread, "merged", author, new.sha)


def diff(db: sqlite3.Connection, repo: Repo, thread: Thread, blobs: Path) -> str:
    """What it changes, as `git diff` shows it."""
    begin, mine, _ = _sides(db, repo, thread)
    return "".join(_file_diff(path, begin.get(path), mine.get(path), blobs) for path in sorted(_changed(begin, mine)))


def _sides(db: sqlite3.Connection, repo: Repo, thread: Thread) -> tuple[Files, Files, Files]:
    """Files where it began, as it has them, and as its branch has them. A branch that is gone is as it was."""
    assert thread.base and thread.base_sha
    begin = commits.files_of(db, commits.resolve(db, repo, thread.base_sha).tree)
    mine = commits.files_of(db, commits.resolve(db, repo, thread.ref).tree)
    branch = db.execute("SELECT 1 FROM refs WHERE repo = ? AND ref = ?", (repo.id, thread.base)).fetchone()
    theirs = commits.files_of(db, commits.resolve(db, repo, thread.base).tree) if branch else begin
    return begin, mine, theirs


def _oid(files: Files, path: str) -> str | None:
    return files[path].oid if path in files else None


def _changed(before: Files, after: Files) -> set[str]:
    return {path for path in before.keys() | after.keys() if _oid(before, path) != _oid(after, path)}


def _file_diff(path: str, before: File | None, after: File | None, blobs: Path) -> str:
    lines = [f"diff --git a/{path} b/{path}\n"]
    if before is None:
        lines.append("new file mode 100644\n")
    if after is None:
        lines.append("deleted file mode 100644\n")
    lines.append(f"index {before.oid if before else '0' * 40}..{after.oid if after else '0' * 40}\n")
    texts = [_text(file, blobs) for file in (before, after)]
    if None in texts:
        return "".join([*lines, f"Binary files a/{path} and b/{path} differ\n"])
    names = f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null"
    old, new = ((text or "").splitlines(keepends=True) for text in texts)
    return "".join([*lines, *_ended(difflib.unified_diff(old, new, *names))])


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _text(file: File | None, blobs: Path) -> str | None:
    """Content of a file; its pointer, as in git, where it is in LFS; None where it is no text, or too much."""
    if file is None:
        return ""
    if file.lfs:
        return git.lfs_pointer(file.sha256, file.size).decode()
    content = path_of(blobs, file.sha256).read_bytes() if file.size <= _MOST_SHOWN else b"\0"
    return None if b"\0" in content else content.decode("utf-8", "replace")
