"""Names of commits: branches, tags, pull requests."""

import sqlite3
from typing import Literal

from scripts.local_hub.hooks import events
from scripts.local_hub.repos import Repo

BRANCH = "refs/heads/"
TAG = "refs/tags/"


def branch_ref(name: str) -> str:
    """The full ref of a branch, or of what else can be committed to: a pull request, a conversion."""
    return name if name.startswith((BRANCH, "refs/pr/", "refs/convert/")) else BRANCH + name


def tag_ref(name: str) -> str:
    return TAG + name


def right_to(revision: str, create_pr: bool) -> Literal["propose", "write"]:
    """What it takes to commit there at least: pull requests are for everyone, each to their own."""
    return "propose" if create_pr or revision.startswith("refs/pr/") else "write"


def set_ref(db: sqlite3.Connection, repo: Repo, ref: str, sha: str | None) -> None:
    """Let a ref name a commit, or with None: delete it."""
    row = db.execute("SELECT sha FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone()
    if sha:
        db.execute("INSERT OR REPLACE INTO refs VALUES (?, ?, ?)", (repo.id, ref, sha))
    else:
        db.execute("DELETE FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref))
    events.note(db, repo, "repo.content", "update", **events.updated_ref(ref, row["sha"] if row else None, sha))
