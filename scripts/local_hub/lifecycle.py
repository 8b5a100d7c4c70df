"""Start, share and stop a local Hub: the server that has the store already, or a child process."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scripts.local_hub.errors import LocalHubError

_START_S = 20.0
_STOP_S = 10.0
IN_USE = 75  # EX_TEMPFAIL: the child's exit status when another process serves the store
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Endpoint:
    """What a client needs: `HF_ENDPOINT` and `HF_TOKEN`."""

    url: str
    token: str


@contextmanager
def running(store: Path, port: int = 0) -> Iterator[Endpoint]:
    """Yield the endpoint of the local Hub over `store`.

    A server that serves the store already is used, whatever its port. Otherwise one is started; it ends after the
    block, or when this process is killed, as soon as no other process uses it.

    Raises:
        LocalHubError: the server cannot start: port taken, store not writable, no answer within 20 s.
    """
    store = store.expanduser().absolute()
    child: subprocess.Popen[str] | None = None
    lease: http.client.HTTPConnection | None = None
    deadline = time.monotonic() + _START_S
    try:
        while lease is None:
            lease = _lease(store)
            if lease is not None:
                break
            if child is None or child.poll() == IN_USE:
                # In use, but without a lease for us: it is starting or ending. Either way, try again.
                child = _start(store, port)
            elif child.poll() is not None:
                raise _failure(child, store)
            if time.monotonic() > deadline:
                raise _failure(child, store)
            time.sleep(0.02)
        yield Endpoint(f"http://{lease.host}:{lease.port}", (store / "token").read_text().strip())
    finally:
        if lease is not None:
            lease.close()
        if child is not None:
            _stop(child, store)


def _lease(store: Path) -> http.client.HTTPConnection | None:
    """Connect to the server that the store names and keep it alive; None when there is none.

    Not through urllib: a proxy from the environment must not see this.
    """
    try:
        address = urlsplit(json.loads((store / "server.json").read_text())["url"])
        expected = (store / "id").read_text().strip()
    except (OSError, ValueError, KeyError):
        return None
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    try:
        connection.request("GET", "/api/local-hub")
        answer = connection.getresponse()
        if answer.status == 200 and json.loads(answer.read()) == {"store": expected}:
            connection.request("GET", "/api/local-hub/lease")
            held = connection.getresponse()
            if held.status == 200 and held.readline() == b"held\n":
                return connection
    except (OSError, ValueError, http.client.HTTPException):
        pass
    connection.close()
    return None


def _start(store: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scripts.local_hub", "--store", str(store), "--port", str(port)]
    return subprocess.Popen(
        [*command, "--die-with-parent"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Its own session: Ctrl-C ends the parent, whose cleanup may still need the server.
        start_new_session=os.name == "posix",
    )


def _stop(child: subprocess.Popen[str], store: Path) -> None:
    """Close the pipe; the server then ends by itself, unless another process holds a lease."""
    assert child.stdin and child.stdout
    child.stdin.close()
    child.stdout.close()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        probe = _lease(store)
        if probe is None:
            child.kill()
            child.wait()
        else:
            probe.close()


def _failure(child: subprocess.Popen[str], store: Path) -> LocalHubError:
    """The error that the child printed before it ended, or that it did not start."""
    if child.poll() is not None and child.stdout:
        last = child.stdout.read().strip().splitlines()[-1:]
        try:
            what, where, next_step = json.loads(last[0])
            return LocalHubError(what, where=where, next_step=next_step)
        except (IndexError, ValueError):
            pass
    return LocalHubError(
        "The local Hub did not start",
        where=str(store),
        next_step=f"run `python -m scripts.local_hub --store {store}` and read what it says",
    )
