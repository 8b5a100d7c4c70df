"""Git object ids, computed as git computes them, so that they match what clients compute locally."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

_FILE_MODE = "100644"
_FOLDER_MODE = "40000"


def _oid(kind: str, content: bytes) -> str:
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def blob_oid(content: bytes) -> str:
    return _oid("blob", content)


def lfs_pointer(sha256: str, size: int) -> bytes:
    """The text that git keeps in place of an LFS file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def tree_oids(files: Mapping[str, str]) -> dict[str, str]:
    """Map every folder to its tree id, from `{file path: blob id}`. The root is `""`."""
    return {folder: oid for folder, (oid, _) in tree_objects(files).items()}


def tree_objects(files: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
    """Map every folder to its tree's id and content."""
    children: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    children[""] = {}
    for path, oid in files.items():
        folder, _, name = path.rpartition("/")
        children[folder][name] = (_FILE_MODE, oid)
        while folder:
            parent, _, name = folder.rpartition("/")
            if name in children[parent]:
                break
            children[parent][name] = (_FOLDER_MODE, "")
            folder = parent
    trees: dict[str, tuple[str, bytes]] = {}
    for folder in sorted(children, key=lambda path: path.count("/") if path else -1, reverse=True):
        entries = []
        for name, (mode, oid) in children[folder].items():
            if mode == _FOLDER_MODE:
                oid = trees[f"{folder}/{name}" if folder else name][0]
            # Git sorts a folder as if its name ended in a slash.
            sort_key = name.encode() + (b"/" if mode == _FOLDER_MODE else b"")
            entries.append((sort_key, b"%s %s\0%s" % (mode.encode(), name.encode(), bytes.fromhex(oid))))
        content = b"".join(entry for _, entry in sorted(entries))
        trees[folder] = _oid("tree", content), content
    return trees


def commit_oid(tree: str, parent: str | None, author: str, date: datetime, message: str) -> str:
    return _oid("commit", commit_content(tree, parent, author, date, message))


def commit_content(tree: str, parent: str | None, author: str, date: datetime, message: str) -> bytes:
    signature = f"{author} <{author}@localhost> {int(date.timestamp())} +0000"
    lines = [f"tree {tree}"]
    if parent:
        lines.append(f"parent {parent}")
    lines += [f"author {signature}", f"committer {signature}", "", message]
    return "\n".join(lines).encode()
