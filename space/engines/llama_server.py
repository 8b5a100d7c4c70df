"""A llama.cpp server in a child process: started, asked, watched, started again when it has died."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from request import Problem

from engines.cores import usable_cores

CHILD = Path(__file__).with_name("llama_child.py")
START_S = 180  # for weights that come from a slow disk
SILENCE_S = 60  # without a word from the server while it writes: it hangs
CONTEXT = 256  # tokens of a prompt and its line; the longest request that the page lets through has about 200


class ServerDiedError(Exception):
    """The server ended, or hangs, while it was asked; `child` is the process that did."""

    def __init__(self, child: subprocess.Popen[str] | None) -> None:
        super().__init__()
        self.child = child


class LlamaServer:
    """Serves one GGUF to many requests at a time."""

    def __init__(self, gguf: Path, slots: int) -> None:
        self.gguf, self.slots = gguf, slots
        self._key = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._address = ""

    def start(self) -> None:
        """Start the server unless it runs.

        Raises:
            Problem: it does not start.
        """
        with self._lock:
            if self._child is None or self._child.poll() is not None:
                self._child = None
                self._child, self._address = self._started()

    def restart(self, died: subprocess.Popen[str] | None) -> None:
        """Start the server anew, unless somebody has done so since the child died.

        Raises:
            Problem: it does not start.
        """
        with self._lock:
            if self._child is died:
                _end(died)  # a crash may take a while, and who hangs does not end
        self.start()

    def stop(self) -> None:
        """End the server, if it runs."""
        with self._lock:
            _end(self._child)

    def _started(self) -> tuple[subprocess.Popen[str], str]:
        """The child and the address it prints once it listens."""
        plan = {
            "gguf": str(self.gguf),
            "slots": self.slots,
            "context": self.slots * CONTEXT,
            "threads": usable_cores(),
            "key": self._key,
            "parent": os.getpid(),
        }
        child = subprocess.Popen(
            [sys.executable, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the page, which may still have lines to write
        )
        assert child.stdin and child.stdout
        with child.stdin, child.stdout, _deadline(child):
            json.dump(plan, child.stdin)
            child.stdin.close()
            address = child.stdout.readline().strip()
        if address:
            return child, address
        # what it said of the reason stands in the log; the kernel says nothing when it takes the memory back
        raise Problem("load-memory" if child.wait() == -signal.SIGKILL else "load-failed")

    @contextmanager
    def post(self, path: str, body: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
        """Ask the server; its answer, to be read while the block runs. Leaving the block ends what it still writes.

        Raises:
            ServerDiedError: it is gone, or went.
            Problem: it refuses.
        """
        child, parts = self._child, urlsplit(self._address)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=SILENCE_S)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status != 200:
                print(f"llama.cpp refused {path}: {answer.read().decode(errors='replace')}", file=sys.stderr)
                raise Problem("failed")
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise ServerDiedError(child) from error
        finally:
            connection.close()


def _end(child: subprocess.Popen[str] | None) -> None:
    if child is not None:
        child.kill()  # it holds nothing that is not on disk
        child.wait()


@contextmanager
def _deadline(child: subprocess.Popen[str]) -> Iterator[None]:
    """Kill the child if the block takes too long."""
    timer = threading.Timer(START_S, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
