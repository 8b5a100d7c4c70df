"""Processes for the replicas of steps, whose death is seen: distilabel's pool starts another and waits for ever."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import queue
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import psutil  # type: ignore[import-untyped]
from distilabel.pipeline.local import _init_worker

from pipelines.errors import HanjulError
from pipelines.execution.deaths import died, exit_code

_LOGGER = logging.getLogger("distilabel.pipeline")


@dataclass(frozen=True)
class Raised:
    """What a step raised, with the traceback in its process."""

    error: Exception
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Raised:
        """It as it can be sent. distilabel's own exception carries the step, whose clients no process can send."""
        raised: Exception = getattr(error, "subprocess_exception", error)
        return cls(portable(raised), "".join(traceback.format_exception(raised)))


def portable(error: Exception) -> Exception:
    """The exception, or its type and text where it cannot be pickled and read again, as with most of openai's."""
    try:
        copy: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return copy


class Channel:
    """What a step's process says to the one that started it: lines of its log, and at the end what it raised or None.

    Each process has a pipe of its own, and no lock in common with others: one that is killed holds nobody up.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock, self._owner = connection, threading.Lock(), os.getpid()

    def send(self, message: Any) -> None:
        """Say it, unless this process was forked from that of the step, or nobody listens any more."""
        if os.getpid() == self._owner:
            with self._lock, suppress(OSError):
                self._connection.send(message)

    put_nowait = send  # `logging` takes this for its queue


#: Of this process, where it is that of a step.
_channel: Channel | None = None


def fail_step(error: Exception) -> None:
    """End this process and the run with an error, from any thread. Where this is no step's process, do nothing."""
    if _channel:
        _channel.send(Raised(error, str(error)))
        os._exit(1)


class StepProcesses:
    """Processes that wait for a step each.

    Args:
        names: of the pipeline, and of its cache.
        log: takes the records of the steps' logs.
    """

    def __init__(self, names: tuple[str, str], log: queue.Queue[logging.LogRecord]) -> None:
        self._names, self._log = names, log
        self._processes: dict[Connection, multiprocessing.Process] = {}
        self._steps: dict[Connection, str] = {}
        self._idle: list[Connection] = []
        self._unfinished: list[Connection] = []

    def fork(self, count: int) -> None:
        """Make as many as there are steps, replicas of one counted each."""
        for _ in range(count):
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_work, args=(there, self._names))
            process.start()
            there.close()
            self._processes[here] = process
        self._idle = list(self._processes)
        self._unfinished = list(self._processes)

    def start(self, step: str, wrapper: Any) -> None:
        """Have one of them run a step."""
        connection = self._idle.pop()
        self._steps[connection] = step
        with suppress(BrokenPipeError):  # it is dead, which `look` tells
            connection.send(wrapper)

    def look(self, seconds: float) -> bool:
        """Hand on what they logged, within so many seconds; whether a step is still running.

        Raises:
            HanjulError: one of them died.
            Exception: what a step raised.
        """
        for connection in wait(self._unfinished, seconds):
            assert isinstance(connection, Connection)
            process, step = self._processes[connection], self._steps.get(connection)
            try:
                message = connection.recv()
            except (EOFError, OSError):
                who = f"The step {step}" if step else "A process that waited for its step"
                raise died(who, exit_code(process), f"process {process.pid}") from None
            if isinstance(message, logging.LogRecord):
                self._log.put(message)
            elif isinstance(message, Raised):
                message.error.add_note(f"in the process of the step {step}:\n{message.trace}")
                if not isinstance(message.error, HanjulError):
                    _LOGGER.error(f"the step '{step}' failed:\n{message.trace}")
                raise message.error
            else:
                self._unfinished.remove(connection)
                del self._steps[connection]
        return bool(self._steps)

    def end(self) -> None:
        """Kill them and what they have started: whatever they would say now, nobody listens."""
        for process in self._processes.values():
            with _descendants(process):
                process.kill()
        for process in self._processes.values():
            process.join()


@contextmanager
def _descendants(process: multiprocessing.Process) -> Iterator[None]:
    """Kill what a process has started, after it: it must not tell of that."""
    try:
        found = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        found = []
    yield
    for descendant in found:
        with suppress(psutil.NoSuchProcess):
            descendant.kill()


def _work(connection: Connection, names: tuple[str, str]) -> None:
    """Of the process: wait for a step and run it to its end."""
    global _channel
    _channel = Channel(connection)
    _init_worker(_channel, *names)
    wrapper = connection.recv()
    try:
        wrapper.run()
    except Exception as error:
        _channel.send(Raised.of(error))
    else:
        _channel.send(None)
