"""Describe repos, files and folders as the API's JSON does."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from sqlite3 import Connection
from typing import Literal

from scripts.local_hub import cards, commits, git
from scripts.local_hub.blobs import path_of
from scripts.local_hub.cards import JSON
from scripts.local_hub.listing import metadata
from scripts.local_hub.repos import Repo
from scripts.local_hub.store import Store

#: Likes of the last seven days.
_TRENDING = "SELECT count(*) FROM likes WHERE repo = ? AND at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')"


def info(db: Connection, store: Store, repo: Repo, revision: str, files: Literal["names", "blobs"] | None) -> JSON:
    """What `ModelInfo`, `DatasetInfo` and `SpaceInfo` read; `files=None` leaves the siblings out."""
    head = commits.resolve(db, repo, revision)
    readme = commits.file_of(db, head.tree, "README.md")
    card = dict(_card(store.blobs, readme.sha256)) if readme else {}
    namespace, name = repo.repo_id.split("/")
    view: JSON = {
        "_id": f"{repo.id:024x}",
        "id": repo.repo_id,
        "author": namespace,
        "sha": head.sha,
        "lastModified": head.date,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": repo.gated or False,
        "disabled": False,
        "downloads": repo.downloads,
        "downloadsAllTime": repo.downloads,
        "likes": db.execute("SELECT count(*) FROM likes WHERE repo = ?", (repo.id,)).fetchone()[0],
        "trendingScore": db.execute(_TRENDING, (repo.id,)).fetchone()[0],
    }
    view["tags"] = cards.tags(repo.kind, card)
    if card:
        view["cardData"] = card
    if repo.kind == "models":
        found = metadata.of_model(db, store.blobs, head.tree)
        said = {key: card[key] for key in ("pipeline_tag", "library_name", "model-index") if key in card}
        view |= {"modelId": repo.repo_id} | found | said
        view["tags"] = cards.tags(repo.kind, found | card)
    elif repo.kind == "spaces":
        subdomain = re.sub(r"[._]", "-", f"{namespace}-{name}".lower())
        view |= {"sdk": repo.sdk, "subdomain": subdomain, "runtime": runtime(db, store, repo)}
    if files:
        siblings = commits.files_of(db, head.tree).values()
        view["siblings"] = [_sibling(file, with_blob=files == "blobs") for file in siblings]
    return view


def used_storage(db: Connection, repo: Repo) -> int:
    """Bytes of all contents of its history, each once."""
    query = "SELECT DISTINCT sha256, size FROM trees WHERE tree IN (SELECT tree FROM commits WHERE repo = ?)"
    return sum(row["size"] for row in db.execute(query, (repo.id,)))


def runtime(db: Connection, store: Store, repo: Repo) -> JSON:
    """What `SpaceRuntime` reads. Nothing runs here: NO_APP_FILE until the app file is there, then STOPPED."""
    tree = commits.resolve(db, repo, "main").tree
    readme = commits.file_of(db, tree, "README.md")
    app_file = _card(store.blobs, readme.sha256).get("app_file") if readme else None
    default = {"docker": "Dockerfile", "static": "index.html"}.get(repo.sdk or "", "app.py")
    present = commits.file_of(db, tree, app_file if isinstance(app_file, str) else default)
    return {
        "stage": "STOPPED" if present else "NO_APP_FILE",
        "hardware": {"current": None, "requested": repo.hardware or "cpu-basic"},
        "storage": None,
        "gcTimeout": repo.sleep_time,
        "replicas": {"current": 0, "requested": 1},
    }


def tree_entries(files: Mapping[str, commits.File]) -> dict[str, JSON]:
    """Every file and folder of a snapshot, by path, in order of paths."""
    folders = git.tree_oids({path: file.oid for path, file in files.items()})
    entries: dict[str, JSON] = {
        path: {"type": "directory", "oid": oid, "size": 0, "path": path} for path, oid in folders.items() if path
    }
    entries |= {path: _file_entry(file) for path, file in files.items()}
    return dict(sorted(entries.items()))


def last_commits(db: Connection, repo: Repo, head: commits.Commit, paths: set[str]) -> dict[str, commits.Commit]:
    """For each path, the newest commit in which its content differs from the parent's."""
    last: dict[str, commits.Commit] = {}
    history = commits.history(db, repo, head.sha)
    newer = _oids(db, head)
    for commit, parent in zip(history, [*history[1:], None], strict=True):
        older = _oids(db, parent) if parent else {}
        last |= {path: commit for path in paths - last.keys() if newer[path] != older.get(path)}
        if len(last) == len(paths):
            break
        newer = older
    return last


def _oids(db: Connection, commit: commits.Commit) -> dict[str, str]:
    oids = {path: file.oid for path, file in commits.files_of(db, commit.tree).items()}
    return oids | git.tree_oids(oids)


def _sibling(file: commits.File, *, with_blob: bool) -> JSON:
    if not with_blob:
        return {"rfilename": file.path}
    sibling: JSON = {"rfilename": file.path, "size": file.size, "blobId": file.oid}
    if file.lfs:
        sibling["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
    return sibling


def _file_entry(file: commits.File) -> JSON:
    entry: JSON = {"type": "file", "oid": file.oid, "size": file.size, "path": file.path}
    if file.lfs:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
    return entry


@lru_cache(maxsize=1024)
def _card(root: Path, sha256: str) -> JSON:
    """A README's metadata; `{}` when it cannot be read. Callers must not change it."""
    try:
        return cards.front_matter(path_of(root, sha256).read_text("utf-8", "replace"))
    except cards.CardError:
        return {}
