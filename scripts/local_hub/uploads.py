"""Decide which files go through LFS, and write the files that a new repo starts with."""

import base64
import binascii
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scripts.local_hub import blobs, git
from scripts.local_hub.commits import File

_LFS_FROM_SIZE = 10 * 1024 * 1024
# fmt: off
_LFS_PATTERNS = (
    "*.7z", "*.arrow", "*.avro", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gz", "*.h5", "*.joblib",
    "*.lfs.*", "*.lz4", "*.mds", "*.mlmodel", "*.model", "*.msgpack", "*.npy", "*.npz", "*.onnx", "*.ot",
    "*.parquet", "*.pb", "*.pickle", "*.pkl", "*.pt", "*.pth", "*.rar", "*.safetensors",
    "saved_model/**/*", "*.tar.*", "*.tar", "*.tflite", "*.tgz", "*.wasm", "*.xz", "*.zip", "*.zst",
    "*tfevents*",
)
# fmt: on


def first_files(root: Path, repo_id: str, sdk: str | None) -> dict[str, File]:
    """The files of a new repo's first commit."""
    rules = (f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _LFS_PATTERNS)
    texts = {".gitattributes": "".join(rules)}
    if sdk is not None:
        title = repo_id.split("/")[1]
        card = f"title: {title}\nemoji: 🚀\ncolorFrom: blue\ncolorTo: gray\nsdk: {sdk}"
        texts["README.md"] = f"---\n{card}\n---\n"
    return {path: regular_file(root, path, text.encode()) for path, text in texts.items()}


def regular_file(root: Path, path: str, content: bytes) -> File:
    """Keep the content and describe it as a file that git holds itself."""
    return File(path, blobs.write(root, content), len(content), git.blob_oid(content), lfs=False)


def lfs_patterns(gitattributes: str) -> list[str]:
    """The patterns of a `.gitattributes` that route files through LFS."""
    rules = (line.split() for line in gitattributes.splitlines())
    return [rule[0] for rule in rules if "filter=lfs" in rule[1:]]


def is_lfs(path: str, size: int, sample: bytes, patterns: list[str]) -> bool:
    """The Hub's rule: by pattern, by size, or because the first bytes are binary. Empty files never."""
    if size == 0:
        return False
    name = path.rpartition("/")[2]
    by_pattern = any(
        fnmatchcase(path, pattern.replace("**/", "*")) if "/" in pattern else fnmatchcase(name, pattern)
        for pattern in patterns
    )
    return by_pattern or size >= _LFS_FROM_SIZE or b"\0" in sample


@dataclass(frozen=True)
class Rule:
    """A line of a `.gitignore`: `pieces` are of its path, `ignores` is false after `!`, which takes back."""

    pieces: tuple[str, ...]
    only_folders: bool
    ignores: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        parts, ends = path.split("/"), {0}
        for piece in self.pieces:
            if piece == "**":
                ends = set(range(min(ends), len(parts) + 1)) if ends else ends
            else:
                ends = {end + 1 for end in ends if end < len(parts) and fnmatchcase(parts[end], piece)}
        return len(parts) in ends and (folder or not self.only_folders)


def ignore_rules(gitignore: str) -> list[Rule]:
    rules = []
    for line in gitignore.splitlines():
        pattern = line.rstrip()
        if not pattern.strip("/") or pattern.startswith("#"):
            continue
        path = pattern.removeprefix("!")
        pieces = re.sub(r"\\(.)", r"[\1]", path.strip("/")).split("/")
        if "/" not in path.rstrip("/"):
            pieces.insert(0, "**")
        if pieces[-1] == "**":  # all in a folder, not itself
            pieces.append("*")
        rules.append(Rule(tuple(pieces), path.endswith("/"), not pattern.startswith("!")))
    return rules


def is_ignored(path: str, rules: list[Rule]) -> bool:
    """The last rule that matches decides, as in git; what is in an ignored folder cannot be taken back."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        name, folder = "/".join(parts[:depth]), depth < len(parts)
        verdicts = [rule.ignores for rule in rules if rule.matches(name, folder=folder)]
        if verdicts and verdicts[-1]:
            return True
    return False


def decoded(sample: str) -> bytes:
    try:
        return base64.b64decode(sample)
    except (binascii.Error, ValueError):
        return b""
