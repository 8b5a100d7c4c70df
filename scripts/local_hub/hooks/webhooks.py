"""Keep webhooks: each is its user's."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scripts.local_hub.errors import ApiError
from scripts.local_hub.store import now

Domain = Literal["repo", "discussion"]


@dataclass(frozen=True)
class Webhook:
    """`watched` has items of a type (user, org, model, dataset, space) and a name."""

    id: str
    user: str
    url: str
    watched: tuple[Mapping[str, str], ...]
    domains: tuple[Domain, ...]
    secret: str | None
    disabled: bool

    def watches(self, kind: str, repo_id: str, domain: Domain) -> bool:
        namespace = repo_id.split("/")[0].lower()
        names = {(item["type"], item["name"].lower()) for item in self.watched}
        home = {("user", namespace), ("org", namespace), (kind.removesuffix("s"), repo_id.lower())}
        return not self.disabled and domain in self.domains and bool(names & home)


def new_id() -> str:
    return secrets.token_hex(12)


def save(db: sqlite3.Connection, hook: Webhook) -> None:
    """Add a webhook, or replace the one of its id; what is still to be delivered stays."""
    watched, domains = json.dumps([dict(item) for item in hook.watched]), json.dumps(hook.domains)
    db.execute(
        "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "url = excluded.url, watched = excluded.watched, domains = excluded.domains, secret = excluded.secret, "
        "disabled = excluded.disabled",
        (hook.id, hook.user, hook.url, watched, domains, hook.secret, hook.disabled, now()),
    )


def find(db: sqlite3.Connection, user: str, webhook_id: str) -> Webhook:
    """
    Raises:
        ApiError: 404, the user has none of this id.
    """
    row = db.execute("SELECT * FROM webhooks WHERE id = ? AND user = ?", (webhook_id, user)).fetchone()
    if row is None:
        raise ApiError(404, "NotFound", f"{user} has no webhook {webhook_id}.")
    return _webhook(row)


def of_user(db: sqlite3.Connection, user: str) -> list[Webhook]:
    return [_webhook(row) for row in db.execute("SELECT * FROM webhooks WHERE user = ? ORDER BY created_at", (user,))]


def everyone(db: sqlite3.Connection) -> list[Webhook]:
    return [_webhook(row) for row in db.execute("SELECT * FROM webhooks WHERE NOT disabled")]


def delete(db: sqlite3.Connection, hook: Webhook) -> None:
    db.execute("DELETE FROM webhooks WHERE id = ?", (hook.id,))


def _webhook(row: sqlite3.Row) -> Webhook:
    watched, domains = json.loads(row["watched"]), json.loads(row["domains"])
    return Webhook(
        row["id"], row["user"], row["url"], tuple(watched), tuple(domains), row["secret"], bool(row["disabled"])
    )
