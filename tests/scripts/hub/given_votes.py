"""Votes of visitors in a dataset on the Hub."""

from __future__ import annotations

import json
from typing import Any

from scripts.hub.hub import Hub
from space.feedback_repo import card


def feedback_repo(hub: Hub, name: str, votes: list[dict[str, Any]], *more: list[dict[str, Any]]) -> str:
    """A dataset as the demo keeps one: a file for each process, and a card."""
    repo = f"local/{name}"
    hub.api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
    for number, rows in enumerate((votes, *more)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        hub.api.upload_file(
            path_or_fileobj=text.encode(), path_in_repo=f"feedback/{number}.jsonl", repo_id=repo, repo_type="dataset"
        )
    hub.api.upload_file(
        path_or_fileobj=card(repo).encode(), path_in_repo="README.md", repo_id=repo, repo_type="dataset"
    )
    return f"hf://datasets/{repo}"
