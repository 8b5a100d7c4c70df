"""Pin a dataset that a command names without a revision, so that the same command finds what it has made before.

A stage's own commit, and those of others, move the head of the dataset that it reads. What counts is the content: the
commit that last changed what will be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from huggingface_hub import HfUri, RepoFile
from huggingface_hub.errors import RemoteEntryNotFoundError

from dataset_card.head import configs_of
from scripts.hub import names
from scripts.hub.hub import Hub

#: Revisions that move with every commit of ours.
MOVING = (None, "main")
#: Commits that are looked at, at most, where no file that is there now tells which of them was the last change.
LOOKED_AT = 50


def pinned(hub: Hub, uri: str, configs: Collection[str], but: Collection[str] = ()) -> HfUri:
    """A dataset, pinned: as it says, else at the oldest of its commits that has the same rows.

    Args:
        configs: those that will be read; they stand in folders of their names.
        but: files in there that do not count.
    """
    head = hub.resolve(uri, "dataset")
    if names.parse(uri).revision not in MOVING:
        return head
    files = [file for file in _files(hub, head, configs, expand=True) if file.path not in but]
    changes = sorted((file.last_commit for file in files if file.last_commit), key=lambda commit: commit.date)
    now = _content(hub, head, configs, but)
    for oid in dict.fromkeys(commit.oid for commit in reversed(changes)):
        candidate = HfUri(type="dataset", id=head.id, revision=oid, path_in_repo=head.path_in_repo)
        if _content(hub, candidate, configs, but) == now:
            return candidate
    return _oldest_alike(hub, head, configs, but, now) if files else head


def _oldest_alike(hub: Hub, head: HfUri, configs: Collection[str], but: Collection[str], now: Any) -> HfUri:
    """The first commit since which nothing that counts has changed, as where a file was deleted."""
    commits = hub.api.list_repo_commits(head.id, repo_type=head.type, revision=head.revision)
    oldest = head
    for commit in commits[1:LOOKED_AT]:
        candidate = HfUri(type="dataset", id=head.id, revision=commit.commit_id, path_in_repo=head.path_in_repo)
        if _content(hub, candidate, configs, but) != now:
            break
        oldest = candidate
    return oldest


def _content(hub: Hub, uri: HfUri, configs: Collection[str], but: Collection[str]) -> Any:
    """What decides the rows of some configs at a commit: the files, and what the README says of them."""
    files = {file.path: file.blob_id for file in _files(hub, uri, configs) if file.path not in but}
    entries = [entry for entry in configs_of(hub.text(uri, "README.md")) if entry["config_name"] in configs]
    return files, sorted(entries, key=lambda entry: str(entry["config_name"]))


def _files(hub: Hub, uri: HfUri, configs: Collection[str], *, expand: bool = False) -> Iterator[RepoFile]:
    for folder in configs:
        with suppress(RemoteEntryNotFoundError):  # no such config yet
            for entry in hub.api.list_repo_tree(
                uri.id, folder, recursive=True, expand=expand, revision=uri.revision, repo_type=uri.type
            ):
                if isinstance(entry, RepoFile):
                    yield entry
