"""Read from a shard of which chunks its files are made.

Format: https://huggingface.co/docs/xet/shard. Records of 48 bytes: a header, then for each file a record, its terms, as
many hashes of these and its sha256; a record of 0xFF ends the files. What follows is for deduplication.
"""

import struct
from dataclasses import dataclass
from typing import IO

_TAG = b"HFRepoMetaData"
_RECORD = 48
_END = b"\xff" * 32
_VERIFIED, _WITH_SHA256 = 1 << 31, 1 << 30


class BadShard(ValueError):
    """What was sent is no shard."""


@dataclass(frozen=True)
class Term:
    """Chunks of a xorb, from `start` up to and without `end`, which have `size` bytes together."""

    xorb: str
    start: int
    end: int
    size: int


@dataclass(frozen=True)
class ShardFile:
    """A file: its sha256, and the terms that it is made of."""

    sha256: str
    terms: list[Term]


def read_files(shard: IO[bytes]) -> list[ShardFile]:
    """The files of a shard.

    Raises:
        BadShard: it is cut off, of another version, or has a file without a sha256.
    """
    tag, version = struct.unpack("<32sQ8x", _record(shard))
    if not tag.startswith(_TAG) or version != 2:
        raise BadShard("it does not begin as a shard of version 2 does")
    files = []
    while (header := _record(shard))[:32] != _END:
        flags, count = struct.unpack_from("<II", header, 32)
        terms = [_term(_record(shard)) for _ in range(count)]
        for _ in range(count if flags & _VERIFIED else 0):
            _record(shard)
        if not flags & _WITH_SHA256:
            raise BadShard("a file has no sha256")
        files.append(ShardFile(_hash(_record(shard)), terms))
    return files


def _term(record: bytes) -> Term:
    size, start, end = struct.unpack_from("<III", record, 36)
    return Term(_hash(record), start, end, size)


def _record(shard: IO[bytes]) -> bytes:
    record = shard.read(_RECORD)
    if len(record) < _RECORD:
        raise BadShard("it is cut off")
    return record


def _hash(record: bytes) -> str:
    """A hash as text: four little-endian numbers of 8 bytes in hexadecimal."""
    return "".join(f"{number:016x}" for number in struct.unpack_from("<4Q", record))
