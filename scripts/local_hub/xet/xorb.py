"""Read chunks from a xorb, as clients serialise it.

Format: https://huggingface.co/docs/xet/xorb. Chunk headers of 8 bytes: version, compressed size (3 bytes), scheme, size
(3 bytes); after the chunks a footer, which is not needed to read them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import lz4.frame

#: Bytes of a chunk at most; clients cut at 128 KiB.
MOST_CHUNK_BYTES = 1 << 20
_HEADER = 8
_FOOTER = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED_LZ4 = range(3)


class BadXorb(ValueError):
    """What was sent is no xorb; the message says where it breaks off."""


@dataclass(frozen=True)
class Place:
    """Where the data of a chunk stands in a serialised xorb, and how it is packed."""

    offset: int
    packed: int
    scheme: int
    size: int


def places(file: IO[bytes]) -> list[Place]:
    """Where each chunk stands, from the start of a file to the footer or the end.

    Raises:
        BadXorb: a header cannot be, or the last chunk is cut off.
    """
    end = file.seek(0, 2)
    found: list[Place] = []
    offset = 0
    while offset < end:
        file.seek(offset)
        header = file.read(_HEADER)
        if header.startswith(_FOOTER):
            break
        packed, size = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
        place = Place(offset + _HEADER, packed, header[4] if len(header) == _HEADER else -1, size)
        offset = place.offset + packed
        if (
            header[0] != 0
            or place.scheme not in (_PLAIN, _LZ4, _GROUPED_LZ4)
            or size > MOST_CHUNK_BYTES
            or offset > end
        ):
            raise BadXorb(f"chunk {len(found)} at byte {place.offset - _HEADER} is no chunk")
        found.append(place)
    return found


def read(file: IO[bytes], chunks: list[Place]) -> Iterator[bytes]:
    """The data of chunks.

    Raises:
        BadXorb: one cannot be unpacked.
    """
    for place in chunks:
        file.seek(place.offset)
        content = file.read(place.packed)
        if place.scheme != _PLAIN:
            content = _unpacked(content, place)
        if len(content) != place.size:
            raise BadXorb(f"the chunk at byte {place.offset} has {len(content)} bytes, not {place.size}")
        yield content


def _unpacked(content: bytes, place: Place) -> bytes:
    unpacker = lz4.frame.LZ4FrameDecompressor()
    try:
        content = unpacker.decompress(content, max_length=place.size + 1)  # a bomb is cut off
    except RuntimeError as error:
        raise BadXorb(f"the chunk at byte {place.offset} cannot be unpacked: {error}") from error
    return _ungrouped(content) if place.scheme == _GROUPED_LZ4 else content


def _ungrouped(grouped: bytes) -> bytes:
    """Bytes in their order again that stand grouped by their place in four: first all first ones, and so on."""
    whole, start = bytearray(len(grouped)), 0
    for place in range(4):
        count = len(range(place, len(grouped), 4))
        whole[place::4] = grouped[start : start + count]
        start += count
    return bytes(whole)
