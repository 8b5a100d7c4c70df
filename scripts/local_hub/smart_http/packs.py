"""Write packs: all objects behind some commits in git's format for sending, without deltas."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from scripts.local_hub import commits, git
from scripts.local_hub.blobs import path_of
from scripts.local_hub.repos import Repo

_COMMIT, _TREE, _BLOB = 1, 2, 3
_PART = 1 << 20


def write(db: sqlite3.Connection, repo: Repo, blobs: Path, wanted: Iterable[str], pack: IO[bytes]) -> None:
    """Write a pack of these commits, their ancestors, trees and files; of an LFS file its pointer."""
    pack.write(b"PACK" + (2).to_bytes(4) + bytes(4))
    count = 0
    for kind, content in _objects(db, repo, blobs, wanted):
        pack.write(_head(kind, len(content)) + zlib.compress(content, 1))
        count += 1
    pack.seek(8)
    pack.write(count.to_bytes(4))
    pack.seek(0)
    digest = hashlib.sha1(usedforsecurity=False)
    while part := pack.read(_PART):
        digest.update(part)
    pack.write(digest.digest())
    pack.seek(0)


def _objects(db: sqlite3.Connection, repo: Repo, blobs: Path, wanted: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    sent: set[str] = set()
    for sha in wanted:
        for commit in commits.history(db, repo, sha):
            if commit.sha in sent:
                break  # its ancestors were sent with it
            sent.add(commit.sha)
            yield _COMMIT, commit.content
            if commit.tree not in sent:
                yield from _snapshot(db, blobs, commit.tree, sent)


def _snapshot(db: sqlite3.Connection, blobs: Path, tree: str, sent: set[str]) -> Iterator[tuple[int, bytes]]:
    files = commits.files_of(db, tree)
    for oid, content in git.tree_objects({path: file.oid for path, file in files.items()}).values():
        if oid not in sent:
            sent.add(oid)
            yield _TREE, content
    for file in files.values():
        if file.oid not in sent:
            sent.add(file.oid)
            pointer = git.lfs_pointer(file.sha256, file.size) if file.lfs else None
            yield _BLOB, pointer or path_of(blobs, file.sha256).read_bytes()


def _head(kind: int, size: int) -> bytes:
    """Type and size: four bits of the size in the first byte, then seven a byte."""
    head = bytearray()
    byte, size = (kind << 4) | (size & 15), size >> 4
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)
