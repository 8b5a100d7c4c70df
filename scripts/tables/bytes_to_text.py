"""The bytes of a file as text: what Excel and editors in Korea write, and a sentence for what is no text."""

from __future__ import annotations

import gzip
import zlib

from pipelines.errors import HanjulError

#: Marks at the beginning of a text, of what they mark, and its name for people. The longer of two comes first.
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
#: Where there is no mark, in this order: hardly any Korean text in CP949 is UTF-8 by chance, but the reverse happens.
UNMARKED = (("utf-8", "UTF-8"), ("cp949", "CP949"))
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
#: Old Excel workbooks, and new ones with a password.
OLE = b"\xd0\xcf\x11\xe0"
PARQUET = b"PAR1"


def unpacked(content: bytes, where: str) -> bytes:
    """The content, or what lies in it where it is gzip.

    Raises:
        HanjulError: it is broken, or empty.
    """
    try:
        inside = gzip.decompress(content) if content.startswith(GZIP) else content
    except (OSError, EOFError, zlib.error) as error:
        raise HanjulError(f"The gzip file is broken: {error}", where, "pack it again") from error
    if not inside.strip():
        raise HanjulError("The input is empty", where, "give a file with at least one row")
    return inside


def decoded(content: bytes, where: str) -> tuple[str, str]:
    """The text, and the name of its encoding.

    Raises:
        HanjulError: it is no text, or in an encoding that we do not know.
    """
    marked = [(encoding, name) for mark, encoding, name in MARKS if content.startswith(mark)]
    for encoding, name in marked[:1] or UNMARKED:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            what = f"Line {line} holds a NUL byte, which no table in {name} does: the file is broken, or no text"
            raise HanjulError(what, where, "save it again as CSV in UTF-8")
        return text.lstrip("\ufeff"), name
    tried = marked[0][1] if marked else "UTF-8 nor CP949"
    what = f"The file begins like {tried}, but is broken" if marked else f"The file is neither {tried}"
    raise HanjulError(what, where, "save it as CSV in UTF-8")
