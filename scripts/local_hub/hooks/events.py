"""Note what happened to a repo for those who watch it, in the transaction in which it happens."""

import json
import sqlite3
import time
from typing import Any, Literal

from scripts.local_hub.hooks import webhooks
from scripts.local_hub.identity import callers
from scripts.local_hub.repos import Repo

Action = Literal["create", "delete", "move", "update"]
Scope = Literal["repo", "repo.content", "repo.config", "discussion", "discussion.comment"]


def note(db: sqlite3.Connection, repo: Repo, scope: Scope, action: Action, **more: Any) -> None:
    """Put a delivery in the queue of each webhook that watches the repo and whose user may see it.

    Args:
        more: joins the payload (https://huggingface.co/docs/hub/webhooks). Addresses in it are paths: `deliveries`
            puts the server's before them.
    """
    domain: webhooks.Domain = "discussion" if scope.startswith("discussion") else "repo"
    for hook in webhooks.everyone(db):
        if not hook.watches(repo.kind, repo.repo_id, domain):
            continue
        if repo.private and not callers.of_user(db, hook.user).sees(repo.kind, repo.repo_id):
            continue
        payload = {"event": {"action": action, "scope": scope}, "repo": _repo(db, repo), **more}
        payload["webhook"] = {"id": hook.id, "version": 3}
        db.execute(
            "INSERT INTO deliveries (webhook, payload, attempts, due) VALUES (?, ?, 0, ?)",
            (hook.id, json.dumps(payload), time.time()),
        )


def updated_ref(ref: str, old: str | None, new: str | None) -> dict[str, Any]:
    """What a payload says of a ref that was moved, made or deleted."""
    return {"updatedRefs": [{"ref": ref, "oldSha": old, "newSha": new}]}


def _repo(db: sqlite3.Connection, repo: Repo) -> dict[str, Any]:
    head = db.execute("SELECT sha FROM refs WHERE repo = ? AND ref = 'refs/heads/main'", (repo.id,)).fetchone()
    return {
        "type": repo.kind.removesuffix("s"),
        "name": repo.repo_id,
        "id": f"{repo.id:024x}",
        "private": repo.private,
        "owner": {"id": repo.repo_id.split("/")[0]},
        "url": {"web": repo.web_path, "api": f"/api/{repo.kind}/{repo.repo_id}"},
        "headSha": head["sha"] if head else None,
    }
