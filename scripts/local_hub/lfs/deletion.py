"""Take LFS files out of a repo's history: its commits are written anew without them."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from scripts.local_hub import commits, git
from scripts.local_hub.repos import Repo


def rewrite(db: sqlite3.Connection, repo: Repo, contents: set[str]) -> None:
    """Drop files of these contents from every commit; what names a commit names its successor then."""
    rows = db.execute("SELECT sha, parent, tree, title, message, date, author FROM commits WHERE repo = ?", (repo.id,))
    old = {row["sha"]: commits.Commit(**row) for row in rows}
    new: dict[str, str] = {}
    for sha in old:
        line = []
        while sha in old and sha not in new:
            line.append(old[sha])
            sha = old[sha].parent or ""
        for commit in reversed(line):
            new[commit.sha] = _without(db, repo, commit, new.get(commit.parent or ""), contents)
    changed = {before: after for before, after in new.items() if before != after}
    _rename(db, repo, changed)
    kept = set(new.values())
    db.executemany(
        "DELETE FROM commits WHERE repo = ? AND sha = ?", [(repo.id, sha) for sha in changed if sha not in kept]
    )
    db.execute("DELETE FROM trees WHERE tree NOT IN (SELECT tree FROM commits)")


def unused(db: sqlite3.Connection, contents: set[str]) -> list[str]:
    """Those of the contents that no commit of any repo has."""
    query = "SELECT 1 FROM trees WHERE sha256 = ? LIMIT 1"
    return [sha256 for sha256 in contents if not db.execute(query, (sha256,)).fetchone()]


def _without(db: sqlite3.Connection, repo: Repo, commit: commits.Commit, parent: str | None, contents: set[str]) -> str:
    """The id of the commit that takes its place: its own where nothing changes."""
    files = commits.files_of(db, commit.tree)
    kept = {path: file for path, file in files.items() if not (file.lfs and file.sha256 in contents)}
    if len(kept) == len(files) and parent == commit.parent:
        return commit.sha
    tree = git.tree_oids({path: file.oid for path, file in kept.items()})[""]
    text = f"{commit.title}\n\n{commit.message}" if commit.message else commit.title
    sha = git.commit_oid(tree, parent, commit.author, datetime.fromisoformat(commit.date), text)
    commits.store(
        db, repo, commits.Commit(sha, parent, tree, commit.title, commit.message, commit.date, commit.author), kept
    )
    return sha


def _rename(db: sqlite3.Connection, repo: Repo, changed: Mapping[str, str]) -> None:
    for before, after in changed.items():
        db.execute("UPDATE refs SET sha = ? WHERE repo = ? AND sha = ?", (after, repo.id, before))
        for column in ("base_sha", "merge_sha"):
            db.execute(
                f"UPDATE discussions SET {column} = ? WHERE repo = ? AND {column} = ?",  # noqa: S608 - the two above
                (after, repo.id, before),
            )
    query = "SELECT id, data FROM discussion_events WHERE repo = ? AND type = 'commit'"
    for row in db.execute(query, (repo.id,)).fetchall():
        data = json.loads(row["data"])
        data["oid"] = changed.get(data["oid"], data["oid"])
        db.execute("UPDATE discussion_events SET data = ? WHERE id = ?", (json.dumps(data), row["id"]))
