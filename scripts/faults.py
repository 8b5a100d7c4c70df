"""What the world does to a command, said as known errors: interrupts, disks, permissions, networks."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.errors import HanjulError

KEPT = "finished stages are kept; run the same command to go on"


@contextmanager
def explained() -> Iterator[None]:
    """Raise HanjulError for faults that no code of ours can prevent; anything else passes as it is."""
    try:
        yield
    except KeyboardInterrupt:
        raise HanjulError("Interrupted", next_step=KEPT) from None
    except OSError as error:
        known = _explain(error)
        if known is None:
            raise
        raise known from error


def _explain(error: OSError) -> HanjulError | None:
    where = str(error.filename or error)
    if error.errno == errno.ENOSPC:
        return HanjulError("The disk is full", where, f"free some space or set HANJUL_HOME to another disk; {KEPT}")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HanjulError(
            "No permission to write or read", where, "change the permissions or set HANJUL_HOME elsewhere"
        )
    if error.errno == errno.EADDRINUSE:
        return HanjulError("The port is in use", where, "stop the other program or give another --port")
    if isinstance(error, ConnectionError):
        return HanjulError("The connection failed", where, f"check that the server is up; {KEPT}")
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return HanjulError(f"The Hub refused: {error.server_message or error}", where, f"check token and name; {KEPT}")
    return None
