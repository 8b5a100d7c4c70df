"""Whoever calls, and what they may do with a repo."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Literal

from scripts.local_hub.names import Kind

Role = Literal["none", "read", "write", "fine-grained"]
#: `propose` is to open discussions and pull requests; on the Hub everyone may, wherever they may read.
Right = Literal["read", "propose", "write"]

#: Whom the store's own token names.
OWNER_NAME = "local"


@dataclass(frozen=True)
class Scope:
    """What a fine-grained token is for.

    Attributes:
        entity: a namespace, or `models/namespace/name` and the like.
        right: read or write.
    """

    entity: str
    right: Right

    def covers(self, kind: Kind | None, repo_id: str, right: Right) -> bool:
        """Whether it gives this right in a repo, or with no kind: in the namespace that `repo_id` begins with."""
        namespace = repo_id.split("/")[0]
        named = self.entity.lower() in (namespace.lower(), f"{kind}/{repo_id}".lower())
        return named and (self.right == "write" or right == "read")


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        name: empty is a stranger.
        role: of the token.
        namespaces: where they are at home, in lower case, and whether they may only read there.
        scopes: of a fine-grained token.
        owner: the store's own token was sent, which may do everything.
    """

    name: str = ""
    role: Role = "none"
    namespaces: Mapping[str, Right] = field(default_factory=dict)
    scopes: tuple[Scope, ...] = ()
    owner: bool = False

    def sees(self, kind: Kind, repo_id: str) -> bool:
        """Whether a private repo is there for them."""
        return self._allowed(kind, repo_id, "read")

    def may(self, right: Right, kind: Kind, repo_id: str) -> bool:
        """Whether they have this right in a repo that they see."""
        if right == "propose" and self.role in ("write", "fine-grained"):
            return self.role == "write" or any(scope.covers(kind, repo_id, "write") for scope in self.scopes)
        return self._allowed(kind, repo_id, right)

    def is_at_home(self, namespace: str, right: Right = "write") -> bool:
        """Whether they have this right in all of a namespace: collections, jobs."""
        return self._allowed(None, namespace, right)

    def _allowed(self, kind: Kind | None, repo_id: str, right: Right) -> bool:
        if self.owner:
            return True
        held = self.namespaces.get(repo_id.split("/")[0].lower())
        if held is None or (right != "read" and held != "write"):
            return False
        if self.role == "fine-grained":
            return any(scope.covers(kind, repo_id, right) for scope in self.scopes)
        return self.role == "write" or (self.role == "read" and right == "read")


STRANGER = Caller()
OWNER = Caller(OWNER_NAME, "write", owner=True)


def hash_of(token: str) -> str:
    """What is kept of a token. It is long and random, so that no salt or slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def of_token(db: Connection, token: str, owners: str) -> Caller:
    """Whom a token names; a stranger, where it is none of ours.

    People are logged in to the real Hub, and that token says nothing here.
    """
    if hmac.compare_digest(hash_of(token), hash_of(owners)):
        return OWNER
    row = db.execute(
        "SELECT accounts.name AS user, role, scopes FROM tokens JOIN accounts ON accounts.name = tokens.user "
        "WHERE hash = ?",
        (hash_of(token),),
    ).fetchone()
    if row is None:
        return STRANGER
    scopes = tuple(Scope(**scope) for scope in json.loads(row["scopes"]))
    return Caller(row["user"], row["role"], _namespaces(db, row["user"]), scopes)


def of_user(db: Connection, name: str) -> Caller:
    """A user as they are with all their rights, whatever token they use."""
    return OWNER if name.lower() == OWNER_NAME else Caller(name, "write", _namespaces(db, name))


def _namespaces(db: Connection, user: str) -> dict[str, Right]:
    rows = db.execute("SELECT organisation, role FROM members WHERE user = ?", (user,))
    return {row["organisation"].lower(): row["role"] for row in rows} | {user.lower(): "write"}
