"""Gated repos: who asked to open one, and who may."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scripts.local_hub.errors import ApiError, bad_request, conflict
from scripts.local_hub.identity.callers import Caller
from scripts.local_hub.repos import Repo
from scripts.local_hub.store import now

Status = Literal["pending", "accepted", "rejected"]


@dataclass(frozen=True)
class AccessRequest:
    """`granted` says that nobody asked: access was given."""

    id: str
    user: str
    status: Status
    reason: str | None
    granted: bool
    fields: Mapping[str, object]
    at: str


def check(db: sqlite3.Connection, repo: Repo, caller: Caller) -> None:
    """
    Raises:
        ApiError: 401 or 403 GatedRepo, the repo is gated and the caller may not open it.
    """
    if not repo.gated or caller.sees(repo.kind, repo.repo_id):
        return
    what = f"Access to {repo.kind.removesuffix('s')} {repo.repo_id} is restricted"
    if not caller.name:
        raise ApiError(401, "GatedRepo", f"{what}. You must have access to it and be authenticated to access it.")
    asked = find(db, repo, caller.name)
    if asked is None:
        raise ApiError(403, "GatedRepo", f"{what} and you are not in the authorized list. Ask for access.")
    if asked.status == "pending":
        raise ApiError(403, "GatedRepo", f"{what}. Your request awaits a review from the repo authors.")
    if asked.status == "rejected":
        raise ApiError(403, "GatedRepo", f"{what}. Your request was rejected by the repo authors.")


def ask(db: sqlite3.Connection, repo: Repo, user: str, fields: Mapping[str, object]) -> AccessRequest:
    """Ask to open a gated repo; where it is gated `auto`, that is enough.

    Raises:
        ApiError: 400, it is not gated; 409, they asked already.
    """
    if not repo.gated:
        raise bad_request(f"{repo.repo_id} is not gated.")
    if find(db, repo, user):
        raise conflict(f"{user} asked for access to {repo.repo_id} already.")
    return _insert(db, repo, user, "accepted" if repo.gated == "auto" else "pending", fields, granted=False)


def grant(db: sqlite3.Connection, repo: Repo, user: str) -> AccessRequest:
    """Let a user open it who may not have asked.

    Raises:
        ApiError: 400, it is not gated; 409, they may already.
    """
    if not repo.gated:
        raise bad_request(f"{repo.repo_id} is not gated.")
    asked = find(db, repo, user)
    if asked is None:
        return _insert(db, repo, user, "accepted", {}, granted=True)
    if asked.status == "accepted":
        raise conflict(f"{user} has access to {repo.repo_id} already.")
    return handle(db, repo, asked, "accepted", None)


def handle(
    db: sqlite3.Connection, repo: Repo, asked: AccessRequest, status: Status, reason: str | None
) -> AccessRequest:
    """Accept, reject, or put back to those that wait.

    Raises:
        ApiError: 409, it has that status.
    """
    if asked.status == status:
        raise conflict(f"The request of {asked.user} is {status} already.")
    db.execute(
        "UPDATE access_requests SET status = ?, reason = ?, at = ? WHERE id = ?", (status, reason, now(), asked.id)
    )
    return of_id(db, repo, asked.id)


def withdraw(db: sqlite3.Connection, repo: Repo, user: str) -> None:
    if db.execute("DELETE FROM access_requests WHERE repo = ? AND user = ?", (repo.id, user)).rowcount == 0:
        raise ApiError(404, "NotFound", f"{user} has not asked for access to {repo.repo_id}.")


def find(db: sqlite3.Connection, repo: Repo, user: str) -> AccessRequest | None:
    row = db.execute(f"{_SELECT} AND user = ?", (repo.id, user)).fetchone()
    return _request(row) if row else None


def of_id(db: sqlite3.Connection, repo: Repo, request_id: str) -> AccessRequest:
    row = db.execute(f"{_SELECT} AND id = ?", (repo.id, request_id)).fetchone()
    if row is None:
        raise ApiError(404, "NotFound", f"{repo.repo_id} has no access request {request_id}.")
    return _request(row)


def of_repo(db: sqlite3.Connection, repo: Repo, status: Status) -> list[AccessRequest]:
    """Those of a status, the newest first."""
    return [_request(row) for row in db.execute(f"{_SELECT} AND status = ? ORDER BY at DESC", (repo.id, status))]


_SELECT = "SELECT id, user, status, reason, granted, fields, at FROM access_requests WHERE repo = ?"


def _insert(
    db: sqlite3.Connection, repo: Repo, user: str, status: Status, fields: Mapping[str, object], *, granted: bool
) -> AccessRequest:
    key = secrets.token_hex(12)
    db.execute(
        "INSERT INTO access_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, repo.id, user, status, None, granted, json.dumps(fields), now()),
    )
    return of_id(db, repo, key)


def _request(row: sqlite3.Row) -> AccessRequest:
    return AccessRequest(**{**dict(row), "fields": json.loads(row["fields"]), "granted": bool(row["granted"])})
