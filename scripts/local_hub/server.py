"""Serve one store in this process until a signal, or until nobody needs it."""

import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from filelock import FileLock, Timeout

from scripts.local_hub.access import tokens
from scripts.local_hub.app import build_app
from scripts.local_hub.errors import LocalHubError, StoreInUse
from scripts.local_hub.hooks import deliveries
from scripts.local_hub.store import Store, open_store

HOST = "127.0.0.1"
_ALL = "0.0.0.0"  # noqa: S104 - only by `--host`, and only with tokens made


def serve(store: Path, port: int, host: str = HOST, *, die_with_parent: bool = False) -> None:
    """Serve `store` in the foreground; the URL goes to stdout.

    Args:
        port: 0 picks a free one.
        host: address to listen on. Others than this machine's are for a team whose members have tokens.
        die_with_parent: end when stdin does, as soon as no other process holds a lease.

    Raises:
        LocalHubError: the store cannot be written or is in use, the port is taken, or nobody has a token.
    """
    store = store.expanduser().absolute()
    everywhere = host not in ("127.0.0.1", "localhost")
    with _owned(store) as opened, _listening(host, port) as listener:
        if everywhere:
            _check_tokens(opened)
        url = f"http://{HOST if host == _ALL else host}:{listener.getsockname()[1]}"
        app = build_app(opened, everywhere=everywhere)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=3
        )
        server = uvicorn.Server(config)
        if die_with_parent:
            threading.Thread(target=_end_with_stdin, args=(server, app.state), daemon=True).start()
        state = store / "server.json"
        try:
            with _signals_unwind():
                _publish(state, url)
                deliveries.start(opened, url)
                print(url, flush=True)
                server.run(sockets=[listener])
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            state.unlink(missing_ok=True)


@contextmanager
def _owned(store: Path) -> Iterator[Store]:
    """Hold the store's lock and open it."""
    try:
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(store / "lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise StoreInUse(
            "Another process serves this store already",
            where=str(store),
            next_step="use the address in its server.json, or stop that process",
        ) from error
    except OSError as error:
        raise _unwritable(store, error) from error
    try:
        try:
            opened = open_store(store)
        except (sqlite3.Error, OSError) as error:
            raise _unwritable(store, error) from error
        yield opened
    finally:
        lock.release()


def _check_tokens(store: Store) -> None:
    """Others would have only the owner's token to share, which may do everything."""
    with store.reading() as db:
        if not tokens.any_there(db):
            raise LocalHubError(
                "No user has a token, and others than this machine are to be served",
                where=str(store.folder),
                next_step="make some with `hanjul hub users add NAME` and `hanjul hub users tokens add NAME`",
            )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        # A port in TIME_WAIT is free on POSIX; on Windows the option would share a port in use.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name == "posix"))
        try:
            listener.bind((host, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            raise LocalHubError(
                f"The local Hub cannot listen on port {port}: {getattr(error, 'strerror', None) or error}",
                where=f"{host}:{port}",
                next_step="choose another --port, or 0 for a free one",
            ) from error
        yield listener


def _unwritable(store: Path, error: Exception) -> LocalHubError:
    reason = getattr(error, "strerror", None) or str(error)
    return LocalHubError(
        f"The local Hub cannot use its store: {reason}",
        where=str(store),
        next_step="free some space or choose a folder that you can write",
    )


def _publish(state: Path, url: str) -> None:
    """Tell other processes where this server is."""
    draft = state.with_suffix(".new")
    try:
        draft.write_text(json.dumps({"url": url, "pid": os.getpid()}))
        draft.replace(state)
    except OSError as error:
        raise _unwritable(state.parent, error) from error


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """uvicorn repeats a signal after its graceful end: SIGTERM must then unwind the stack, not kill."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(0)

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_with_stdin(server: uvicorn.Server, state: Any) -> None:
    sys.stdin.buffer.read()
    while state.leases:
        time.sleep(0.05)
    state.closing = True
    server.should_exit = True
