"""Keep file contents on disk, named by their sha256. A blob is complete or absent, also after a crash."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class BlobWriter:
    """A blob being written to a temporary file. Nothing is visible until `keep`."""

    def __init__(self, root: Path, file: IO[bytes]) -> None:
        self._root = root
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def keep(self) -> None:
        """Sync the content, rename it to its sha256, sync the folder."""
        self._file.flush()
        os.fsync(self._file.fileno())
        final = path_of(self._root, self.sha256)
        if not final.parent.exists():
            final.parent.mkdir(exist_ok=True)
            _sync_folder(self._root)
        Path(self._file.name).replace(final)
        _sync_folder(final.parent)


@contextmanager
def open_writer(root: Path) -> Iterator[BlobWriter]:
    """Open a temporary file beside the blobs; it is gone on leaving unless kept."""
    with tempfile.NamedTemporaryFile(dir=_partial(root), delete=False) as file:
        try:
            yield BlobWriter(root, file)
        finally:
            Path(file.name).unlink(missing_ok=True)


def write(root: Path, content: bytes) -> str:
    """Keep `content`, return its sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not path_of(root, sha256).exists():
        with open_writer(root) as blob:
            blob.write(content)
            blob.keep()
    return sha256


def path_of(root: Path, sha256: str) -> Path:
    return root / sha256[:2] / sha256


def prepare(root: Path) -> None:
    """Make the folders and drop what interrupted uploads left."""
    _partial(root).mkdir(parents=True, exist_ok=True)
    for leftover in _partial(root).iterdir():
        leftover.unlink()


def sweep(root: Path, used: set[str], older_than_s: float = 86_400) -> int:
    """Delete blobs that no commit names, count them. Young ones stay: their upload may be waiting for its commit."""
    horizon = time.time() - older_than_s
    unused = [path for path in root.glob("[0-9a-f][0-9a-f]/*") if path.name not in used]
    old = [path for path in unused if path.stat().st_mtime < horizon]
    for path in old:
        path.unlink()
    return len(old)


def _partial(root: Path) -> Path:
    return root / "partial"


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
