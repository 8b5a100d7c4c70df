"""What the world does to a command comes out as a known error; a bug of ours does not."""

from __future__ import annotations

import errno

import httpx2
import pytest

from scripts.core.errors import HanjulError
from scripts.core.faults import explained, refused


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/blob"), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), "No permission"),
        (OSError(errno.EROFS, "Read-only file system", "/data"), "No permission"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "port is in use"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "connection failed"),
        (httpx2.ConnectError("refused", request=httpx2.Request("GET", "http://127.0.0.1:9/x")), "cannot be reached"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk is full"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/data"), "Something else stands"),
        (KeyboardInterrupt(), "Interrupted"),
        (ModuleNotFoundError("No module named 'deepeval'", name="deepeval"), "The judges need deepeval"),
    ],
)
def test_faults_are_explained(fault: BaseException, what: str) -> None:
    with pytest.raises(HanjulError, match=what) as caught, explained():
        raise fault
    assert caught.value.next_step


@pytest.mark.parametrize(
    "bug",
    [
        ValueError("x"),
        KeyError("x"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        ModuleNotFoundError("x", name="scripts.x"),
    ],
)
def test_bugs_keep_their_traceback(bug: Exception) -> None:
    with pytest.raises(type(bug)), explained():
        raise bug


def test_refusals_of_the_pure_parts_become_sentences() -> None:
    with pytest.raises(HanjulError, match="too few") as caught, refused("pairs"):
        raise ValueError("too few")
    assert caught.value.where == "pairs"
