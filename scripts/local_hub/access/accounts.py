"""Keep users, organisations and their members."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from scripts.local_hub.errors import ApiError, conflict
from scripts.local_hub.identity.callers import OWNER_NAME
from scripts.local_hub.names import check_repo_id
from scripts.local_hub.store import now

MemberRole = Literal["read", "write"]


@dataclass(frozen=True)
class Account:
    """A user, or an organisation (`kind` is org). What an organisation makes can be private unless said otherwise."""

    name: str
    kind: Literal["user", "org"]
    fullname: str
    private_by_default: bool
    created_at: str


def add(db: sqlite3.Connection, new: Account) -> None:
    """
    Raises:
        ApiError: 400, it can be no namespace; 409, the name is taken.
    """
    check_repo_id(new.name, "name")
    if new.name.lower() == OWNER_NAME or find(db, new.name):
        raise conflict(f"The name {new.name} is taken.")
    db.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)",
        (new.name, new.kind, new.fullname, new.private_by_default, new.created_at or now()),
    )


def join(db: sqlite3.Connection, organisation: str, user: str, role: MemberRole) -> None:
    """Make a user a member, or give a member another role."""
    if (member := find(db, user)) is None or member.kind != "user":
        raise no_account(user)
    db.execute("INSERT OR REPLACE INTO members VALUES (?, ?, ?)", (organisation, member.name, role))


def remove(db: sqlite3.Connection, name: str) -> None:
    """Remove a user or an organisation, with its tokens and memberships. Its repos stay."""
    if db.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount == 0:
        raise no_account(name)


def find(db: sqlite3.Connection, name: str) -> Account | None:
    row = db.execute("SELECT * FROM accounts WHERE name = ?", (name,)).fetchone()
    return _account(row) if row else None


def everyone(db: sqlite3.Connection) -> list[Account]:
    return [_account(row) for row in db.execute("SELECT * FROM accounts ORDER BY kind DESC, name")]


def organisations_of(db: sqlite3.Connection, user: str) -> list[tuple[Account, MemberRole]]:
    rows = db.execute(
        "SELECT accounts.*, role FROM members JOIN accounts ON accounts.name = organisation WHERE user = ? "
        "ORDER BY accounts.name",
        (user,),
    )
    return [(_account(row), row["role"]) for row in rows]


def members_of(db: sqlite3.Connection, organisation: str) -> list[tuple[Account, MemberRole]]:
    rows = db.execute(
        "SELECT accounts.*, role FROM members JOIN accounts ON accounts.name = user WHERE organisation = ? "
        "ORDER BY accounts.name",
        (organisation,),
    )
    return [(_account(row), row["role"]) for row in rows]


def no_account(name: str) -> ApiError:
    return ApiError(404, "NotFound", f"There is no user or organisation {name}.")


def _account(row: sqlite3.Row) -> Account:
    kind, private = row["kind"], bool(row["private_by_default"])
    return Account(row["name"], kind, row["fullname"], private, row["created_at"])
