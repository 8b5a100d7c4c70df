"""Make, list and revoke the tokens of users."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from scripts.local_hub.access import accounts
from scripts.local_hub.errors import ApiError, bad_request, conflict
from scripts.local_hub.identity.callers import Role, Scope, hash_of
from scripts.local_hub.names import KINDS, check_repo_id
from scripts.local_hub.store import now


@dataclass(frozen=True)
class Token:
    """What is known of a token after it was made; itself it is kept nowhere."""

    id: str
    user: str
    name: str
    role: Role
    scopes: tuple[Scope, ...]
    created_at: str


def make(db: sqlite3.Connection, user: str, name: str, role: Role, scopes: Sequence[Scope] = ()) -> str:
    """Return a new token, which cannot be shown again.

    Raises:
        ApiError: 404, no such user; 409, they have a token of this name; 400, scopes without fine-grained, or not.
    """
    account = accounts.find(db, user)
    if account is None or account.kind != "user":
        raise accounts.no_account(user)
    if bool(scopes) != (role == "fine-grained"):
        raise bad_request("A fine-grained token needs scopes, and no other has any.")
    if db.execute("SELECT 1 FROM tokens WHERE user = ? AND name = ?", (user, name)).fetchone():
        raise conflict(f"{account.name} has a token {name!r} already.")
    token = f"hf_{secrets.token_hex(20)}"
    kept = json.dumps([asdict(scope) for scope in scopes])
    db.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
        (hash_of(token), secrets.token_hex(6), account.name, name, role, kept, now()),
    )
    return token


def of_user(db: sqlite3.Connection, user: str) -> list[Token]:
    rows = db.execute("SELECT * FROM tokens WHERE user = ? ORDER BY created_at, id", (user,))
    return [_token(row) for row in rows]


def find(db: sqlite3.Connection, token: str) -> Token | None:
    row = db.execute("SELECT * FROM tokens WHERE hash = ?", (hash_of(token),)).fetchone()
    return _token(row) if row else None


def revoke(db: sqlite3.Connection, user: str, name_or_id: str) -> None:
    """
    Raises:
        ApiError: 404, the user has none of this name or id.
    """
    query = "DELETE FROM tokens WHERE user = ? AND (name = ? OR id = ?)"
    if db.execute(query, (user, name_or_id, name_or_id)).rowcount == 0:
        raise ApiError(404, "NotFound", f"{user} has no token {name_or_id!r}.")


def any_there(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None


def scope(text: str) -> Scope:
    """Read `team:read`, `models/team/name:write` and the like.

    Raises:
        ApiError: 400, it is no such text.
    """
    entity, _, right = text.rpartition(":")
    kind, *rest = entity.split("/")
    if (right not in ("read", "write")) or (rest and (len(rest) != 2 or kind not in KINDS)):
        raise bad_request(f"{text!r} is no scope: use NAMESPACE:read or (models|datasets|spaces)/NAMESPACE/NAME:write.")
    check_repo_id(*rest) if rest else check_repo_id(kind, "name")
    return Scope(entity, "write" if right == "write" else "read")


def _token(row: sqlite3.Row) -> Token:
    scopes = tuple(Scope(**item) for item in json.loads(row["scopes"]))
    return Token(row["id"], row["user"], row["name"], row["role"], scopes, row["created_at"])
