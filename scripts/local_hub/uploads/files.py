"""Decide which files go through LFS, and write the files that a new repo starts with."""

import base64
import binascii
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


def decoded(sample: str) -> bytes:
    try:
        return base64.b64decode(sample)
    except (binascii.Error, ValueError):
        return b""
