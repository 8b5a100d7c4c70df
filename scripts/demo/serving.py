"""Run the folder of a Space on this machine."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import HanjulError

HOST = "127.0.0.1"
#: Where a page prints to: our own stdout is for data.
STDERR = 2
#: Seconds that a page has to end by itself: votes that are not committed yet are committed then.
LEAVE_S = 30.0


@dataclass(frozen=True)
class Page:
    """A page that runs here.

    Attributes:
        folder: what it runs from.
        address: where it is, as soon as it listens.
    """

    folder: Path
    address: str
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait until it ends, which it does not by itself.

        Raises:
            HanjulError: it has.
        """
        self.process.wait()
        self.check()

    def check(self) -> None:
        """
        Raises:
            HanjulError: it has ended.
        """
        if (code := self.process.poll()) is not None:
            raise HanjulError(
                f"The page ended by itself (exit code {code})", str(self.folder), "read what it printed above"
            )


@contextmanager
def running(folder: Path, port: int, python: str = sys.executable) -> Iterator[Page]:
    """The page of a folder, in a process of its own that ends with the block, and so do all that it has started.

    Args:
        port: 0 for any free one.
        python: interpreter with what the page needs.

    Raises:
        HanjulError: the port is in use.
    """
    port = free_port(port)
    environment = os.environ | {"GRADIO_SERVER_NAME": HOST, "GRADIO_SERVER_PORT": str(port)}
    environment.pop("PYTHONPATH", None)  # the folder stands alone
    process = subprocess.Popen([python, "app.py"], cwd=folder, env=environment, stdout=STDERR, start_new_session=True)
    try:
        yield Page(folder, f"http://{HOST}:{port}", process)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a page, gently first, then whatever is left of its process group."""
    with suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(LEAVE_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port(port: int) -> int:
    """The port, if nobody listens on it.

    Raises:
        HanjulError: somebody does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise HanjulError(
                "The port is in use", f"{HOST}:{port}", "stop the other program or give another --port"
            ) from error
        return int(probe.getsockname()[1])
