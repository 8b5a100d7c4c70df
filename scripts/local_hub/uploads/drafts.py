"""Read a commit as clients send it: a line of JSON for each of its files, after one with its title."""

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from scripts.local_hub import blobs, cards, commits
from scripts.local_hub.dependencies import Target
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.names import check_path
from scripts.local_hub.uploads import files

# A line holds one regular file in base64; larger files belong to LFS.
_MAX_LINE = 64 * 1024 * 1024


@dataclass
class Draft:
    """A commit as its lines arrive."""

    title: str = ""
    message: str = ""
    parent: str | None = None
    operations: list[commits.Operation] = field(default_factory=list)


async def lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body as they arrive.

    Raises:
        ApiError: 413, one is too long.
    """
    buffer = bytearray()
    async for chunk in stream:
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            buffer += part
            yield bytes(buffer)
            buffer.clear()
        buffer += rest
        if len(buffer) > _MAX_LINE:
            raise ApiError(413, "TooLarge", "A regular file is too large for a commit: send it through LFS.")
    yield bytes(buffer)


def read(target: Target, line: bytes, draft: Draft) -> None:
    """Add a line to the draft, and keep a file's content."""
    if not line.strip():
        return
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise bad_request("The commit must be newline-delimited JSON.") from error
    root = target.store.blobs
    match item:
        case {"key": "header", "value": {"summary": str(title), **rest}}:
            draft.title, draft.message = title, str(rest.get("description") or "")
            draft.parent = str(rest["parentCommit"]) if rest.get("parentCommit") else None
        case {"key": "file", "value": {"path": str(path), "content": str(text), **rest}}:
            content = _content(text, rest.get("encoding", "utf-8"))
            if check_path(path) == "README.md":
                _check_card(target, content)
            draft.operations.append(files.regular_file(root, path, content))
        case {"key": "lfsFile", "value": {"path": str(path), "oid": str(oid), **rest}}:
            draft.operations.append(_stored(target, check_path(path), oid, rest.get("size")))
        case {"key": "deletedFile", "value": {"path": str(path)}}:
            draft.operations.append(commits.Deletion(path, folder=False))
        case {"key": "deletedFolder", "value": {"path": str(path)}}:
            draft.operations.append(commits.Deletion(path, folder=True))
        case _:
            raise bad_request("A line of the commit is not an operation.")


def _content(text: str, encoding: object) -> bytes:
    if encoding == "utf-8":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request("A file's content is not valid base64.") from error


def _check_card(target: Target, content: bytes) -> None:
    """The Hub refuses a README whose metadata it cannot read."""
    errors, _ = cards.problems(target.kind, content.decode("utf-8", "replace"))
    if errors:
        raise bad_request(f"Invalid metadata in README.md: {'; '.join(errors)}")


def _stored(target: Target, path: str, oid: str, size: object) -> commits.File:
    blob = blobs.path_of(target.store.blobs, oid)
    if len(oid) != 64 or not set(oid) <= set("0123456789abcdef") or not blob.exists():
        raise bad_request(f"The LFS object {oid} of {path} was not uploaded.")
    actual = blob.stat().st_size
    if size is not None and size != actual:
        raise bad_request(f"The LFS object {oid} of {path} has {actual} bytes, not {size}.")
    return commits.lfs_file(path, oid, actual)
