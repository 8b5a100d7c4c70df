"""Keep what clients sent of files until a shard says how these are made: then they are kept, and what was sent goes.

Of each xorb stays an index, by which its chunks are found in the files: clients remember what they sent, and name it in
later shards without sending it again.
"""

import os
import secrets
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from scripts.local_hub import blobs
from scripts.local_hub.xet import xorb
from scripts.local_hub.xet.shard import ShardFile, Term

#: sha256 of a file, where in it a chunk stands, and the chunk's size.
_ENTRY = struct.Struct("<32sQL")
#: Seconds that a xorb may wait for its shard while the server is down.
_ABANDONED_S = 86_400

Entry = tuple[str, int, int]


class Unassembled(ValueError):
    """A file cannot be made of what is there; the message says why."""


class Stash:
    """What was sent to one store.

    Attributes:
        era: a name that changes when files are deleted. It is part of the address under which clients remember what
            they sent.
    """

    def __init__(self, root: Path, blobs_root: Path) -> None:
        self._root, self._blobs = root, blobs_root
        self._assembling = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)
        eras = sorted(path.name for path in root.iterdir())
        self.era = eras[0] if len(eras) == 1 else self.forget()
        for path in (self._root / self.era).iterdir():
            if path.suffix == ".part" or (path.suffix == ".new" and path.stat().st_mtime < time.time() - _ABANDONED_S):
                path.unlink()

    def forget(self) -> str:
        """Begin a new era: files are gone in which chunks were to be found."""
        for old in list(self._root.iterdir()):
            shutil.rmtree(old)
        self.era = secrets.token_hex(4)
        (self._root / self.era).mkdir()
        return self.era

    def has(self, name: str) -> bool:
        """Whether a xorb need not be sent again."""
        return any(path.exists() for path in (self._new(name), self._shared(name), self._index(name)))

    @contextmanager
    def receiving(self) -> Iterator[IO[bytes]]:
        """A file for what comes in; it is gone on leaving unless kept."""
        with tempfile.NamedTemporaryFile(dir=self._root / self.era, suffix=".part", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def keep(self, name: str, file: IO[bytes]) -> None:
        """Keep a xorb that has come in.

        Raises:
            BadXorb: it is none.
        """
        file.flush()
        xorb.places(file)
        Path(file.name).replace(self._new(name))

    def assemble(self, files: list[ShardFile]) -> None:
        """Make blobs of files.

        Raises:
            Unassembled: chunks are missing, or the content is not what its sha256 says; what was sent for it goes.
        """
        with self._assembling:
            found: dict[str, dict[int, Entry]] = {}
            for file in files:
                try:
                    self._assemble(file, found)
                except (Unassembled, xorb.BadXorb) as error:
                    for term in file.terms:
                        self._new(term.xorb).unlink(missing_ok=True)
                    raise Unassembled(f"the file with sha256 {file.sha256}: {error}") from error
            for name, chunks in found.items():
                self._replace_by_index(name, chunks)

    def _assemble(self, file: ShardFile, found: dict[str, dict[int, Entry]]) -> None:
        there = blobs.path_of(self._blobs, file.sha256).exists()
        if there and not any(self._new(term.xorb).exists() for term in file.terms):
            return
        with blobs.open_writer(self._blobs) as blob:
            for term in file.terms:
                for number, content in enumerate(self._chunks(term), term.start):
                    found.setdefault(term.xorb, {})[number] = file.sha256, blob.size, len(content)
                    blob.write(content)
            if blob.sha256 != file.sha256:
                raise Unassembled(f"its content has {blob.sha256}")
            blob.keep()

    def _chunks(self, term: Term) -> Iterator[bytes]:
        if data := self._data(term.xorb):
            with data.open("rb") as file:
                places = xorb.places(file)
                if not term.start < term.end <= len(places):
                    raise Unassembled(f"the xorb {term.xorb} has no chunks {term.start} to {term.end}")
                yield from xorb.read(file, places[term.start : term.end])
        elif self._index(term.xorb).exists():
            yield from self._chunks_of_files(term)
        else:
            raise Unassembled(f"the xorb {term.xorb} was not sent")

    def _chunks_of_files(self, term: Term) -> Iterator[bytes]:
        entries = list(_ENTRY.iter_unpack(self._index(term.xorb).read_bytes()))
        if not term.start < term.end <= len(entries):
            raise Unassembled(f"the xorb {term.xorb} has no chunks {term.start} to {term.end}")
        with ExitStack() as stack:
            opened: dict[bytes, IO[bytes]] = {}
            for sha256, offset, size in entries[term.start : term.end]:
                if sha256 not in opened:
                    opened[sha256] = stack.enter_context(blobs.path_of(self._blobs, sha256.hex()).open("rb"))
                opened[sha256].seek(offset)
                yield opened[sha256].read(size)

    def _replace_by_index(self, name: str, chunks: dict[int, Entry]) -> None:
        """Drop a xorb whose chunks all stand in files now. One that has others stays: they may be named yet."""
        if (data := self._data(name)) is None:
            return
        with data.open("rb") as file:
            count = len(xorb.places(file))
        if len(chunks) < count:
            data.replace(self._shared(name))
            return
        with self.receiving() as index:
            for number in range(count):
                sha256, offset, size = chunks[number]
                index.write(_ENTRY.pack(bytes.fromhex(sha256), offset, size))
            index.flush()
            os.fsync(index.fileno())
            Path(index.name).replace(self._index(name))
        data.unlink()

    def _data(self, name: str) -> Path | None:
        """A xorb as it was sent, if it is there."""
        return next((path for path in (self._new(name), self._shared(name)) if path.exists()), None)

    def _new(self, name: str) -> Path:
        """Of one that no shard has named yet."""
        return self._root / self.era / f"{name}.new"

    def _shared(self, name: str) -> Path:
        return self._root / self.era / f"{name}.xorb"

    def _index(self, name: str) -> Path:
        return self._root / self.era / f"{name}.index"
