"""Keep discussions and their events: comments, new titles, changes of status, commits of a pull request."""

import json
import secrets
import sqlite3
from dataclasses import replace
from html import escape
from typing import Any

from scripts.local_hub.discussions import telling
from scripts.local_hub.discussions.records import Event, Status, Thread
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.hooks import events as hooks
from scripts.local_hub.repos import Repo
from scripts.local_hub.store import now

#: Characters of a title and of a comment at most.
MOST_TITLE, MOST_COMMENT = 200, 65_536


def start(
    db: sqlite3.Connection, repo: Repo, title: str, description: str, author: str, base: tuple[str, str] | None
) -> Thread:
    """Begin a discussion, or a pull request that is a draft.

    Args:
        base: ref to merge into, and the commit to begin at.
    """
    last = db.execute("SELECT max(num) FROM discussions WHERE repo = ?", (repo.id,)).fetchone()[0] or 0
    ref, sha = base or (None, None)
    status: Status = "draft" if base else "open"
    thread = Thread(last + 1, checked_title(title), status, author, now(), ref, sha, None)
    db.execute(
        "INSERT INTO discussions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (repo.id, thread.num, thread.title, status, author, thread.created_at, ref, sha, None),
    )
    first = _comment(_checked_comment(description), author, history=[])
    event = add(db, repo, thread, "comment", author, first)
    hooks.note(db, repo, "discussion", "create", **telling.payload(repo, thread, event))
    return thread


def find(db: sqlite3.Connection, repo: Repo, num: int) -> Thread:
    """
    Raises:
        ApiError: 404, there is none of this number.
    """
    row = db.execute(f"{_SELECT} AND num = ?", (repo.id, num)).fetchone()
    if row is None:
        raise ApiError(404, "NotFound", f"{repo.repo_id} has no discussion {num}.")
    return Thread(**row)


def of_repo(db: sqlite3.Connection, repo: Repo) -> list[Thread]:
    """All of a repo, the newest first."""
    return [Thread(**row) for row in db.execute(f"{_SELECT} ORDER BY num DESC", (repo.id,))]


def of_ref(db: sqlite3.Connection, repo: Repo, ref: str) -> Thread | None:
    """The pull request whose commits stand at a ref."""
    num = ref.removeprefix("refs/pr/")
    if num == ref or not num.isascii() or not num.isdecimal() or len(num) > 9:
        return None
    row = db.execute(f"{_SELECT} AND num = ?", (repo.id, int(num))).fetchone()
    return Thread(**row) if row else None


_SELECT = "SELECT num, title, status, author, created_at, base, base_sha, merge_sha FROM discussions WHERE repo = ?"


def events(db: sqlite3.Connection, repo: Repo, num: int) -> list[Event]:
    rows = db.execute(
        "SELECT id, type, author, created_at, data FROM discussion_events WHERE repo = ? AND num = ? ORDER BY rowid",
        (repo.id, num),
    )
    return [Event(**{**row, "data": json.loads(row["data"])}) for row in map(dict, rows)]


def comment(db: sqlite3.Connection, repo: Repo, thread: Thread, text: str, author: str) -> Event:
    event = add(db, repo, thread, "comment", author, _comment(_checked_comment(text), author, history=[]))
    hooks.note(db, repo, "discussion.comment", "create", **telling.payload(repo, thread, event))
    return event


def edit(db: sqlite3.Connection, repo: Repo, thread: Thread, event_id: str, text: str, author: str) -> Event:
    """Give a comment another text; the ones of before stay in its history."""
    old = find_comment(db, repo, thread, event_id)
    if old.data["hidden"]:
        raise bad_request("A hidden comment cannot be edited.")
    data = _comment(_checked_comment(text), author, history=[*old.data["history"], old.data["latest"]])
    return _replace(db, old, data)


def hide(db: sqlite3.Connection, repo: Repo, thread: Thread, event_id: str, author: str) -> Event:
    """Take a comment's text away for good, its history with it."""
    old = find_comment(db, repo, thread, event_id)
    return _replace(db, old, _comment("This comment has been hidden", author, history=[]) | {"hidden": True})


def rename(db: sqlite3.Connection, repo: Repo, thread: Thread, title: str, author: str) -> Event:
    new = checked_title(title)
    db.execute("UPDATE discussions SET title = ? WHERE repo = ? AND num = ?", (new, repo.id, thread.num))
    hooks.note(db, repo, "discussion", "update", **telling.payload(repo, replace(thread, title=new)))
    return add(db, repo, thread, "title-change", author, {"from": thread.title, "to": new})


def set_status(
    db: sqlite3.Connection, repo: Repo, thread: Thread, status: Status, author: str, merge_sha: str | None = None
) -> Event:
    """Open, close or merge it.

    Raises:
        ApiError: 400, it is merged, or has this status.
    """
    if thread.status in ("merged", status):
        raise bad_request(f"It is {thread.status} already.")
    db.execute(
        "UPDATE discussions SET status = ?, merge_sha = ? WHERE repo = ? AND num = ?",
        (status, merge_sha, repo.id, thread.num),
    )
    now_is = replace(thread, status=status, merge_sha=merge_sha)
    hooks.note(db, repo, "discussion", "update", **telling.payload(repo, now_is))
    return add(db, repo, thread, "status-change", author, {"status": status})


def add(db: sqlite3.Connection, repo: Repo, thread: Thread, kind: str, author: str, data: dict[str, Any]) -> Event:
    event = Event(secrets.token_hex(12), kind, author, now(), data)
    db.execute(
        "INSERT INTO discussion_events VALUES (?, ?, ?, ?, ?, ?, ?)",
        (event.id, repo.id, thread.num, kind, author, event.created_at, json.dumps(data)),
    )
    return event


def checked_title(title: str) -> str:
    title = " ".join(title.split())
    if not 3 <= len(title) <= MOST_TITLE:
        raise bad_request(f"A title has 3 to {MOST_TITLE} characters.")
    return title


def _checked_comment(text: str) -> str:
    if not text.strip() or len(text) > MOST_COMMENT:
        raise bad_request(f"A comment has 1 to {MOST_COMMENT:,} characters.")
    return text.strip()


def _comment(text: str, author: str, history: list[dict[str, Any]]) -> dict[str, Any]:
    html = f"<p>{escape(text)}</p>"
    latest = {"raw": text, "html": html, "updatedAt": now(), "author": {"name": author}}
    return {"edited": bool(history), "hidden": False, "latest": latest, "history": history}


def find_comment(db: sqlite3.Connection, repo: Repo, thread: Thread, event_id: str) -> Event:
    for event in events(db, repo, thread.num):
        if event.id == event_id and event.type == "comment":
            return event
    raise ApiError(404, "NotFound", f"Discussion {thread.num} has no comment {event_id}.")


def _replace(db: sqlite3.Connection, old: Event, data: dict[str, Any]) -> Event:
    db.execute("UPDATE discussion_events SET data = ? WHERE id = ?", (json.dumps(data), old.id))
    return Event(old.id, old.type, old.author, old.created_at, data)
