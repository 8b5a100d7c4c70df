"""Loading in the background what writing needs, and whether it is there."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Literal, Protocol

from request import Problem
from settings import ON_ZERO_GPU

State = Literal["loading", "ready", "problem"]


class Loadable(Protocol):
    """A part that takes a while to load; after a failure it may be tried again."""

    def load(self) -> None: ...


class Loader:
    """Loads the parts, one after another.

    Attributes:
        state: of the last attempt.
        problem: why it failed, None where it did not.
    """

    def __init__(self, parts: Sequence[Loadable]) -> None:
        self._parts = parts
        self.state: State = "loading"
        self.problem: Problem | None = None
        self._ended = threading.Event()  # the attempt that runs
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to load. On ZeroGPU all is loaded on return: only what the main thread loads is lent a GPU later."""
        if ON_ZERO_GPU:
            self._load()
        else:
            threading.Thread(target=self._load, name="loader", daemon=True).start()

    def retry(self) -> None:
        """Load again if the last attempt failed.

        Raises:
            Problem: this process cannot: on ZeroGPU, it would load in the wrong thread.
        """
        with self._lock:
            if self.problem is None:
                return
            if ON_ZERO_GPU:
                raise _fresh(self.problem)
            self.state, self.problem = "loading", None
            self._ended.clear()
        self.start()

    def wait(self, seconds: float) -> bool:
        """Whether all is loaded, within the time.

        Raises:
            Problem: it has failed.
        """
        self._ended.wait(seconds)
        if problem := self.problem:
            raise _fresh(problem)
        return self.state == "ready"  # another attempt may have begun since

    def _load(self) -> None:
        problem = None
        try:
            for part in self._parts:
                part.load()
        except Problem as error:
            problem = error
        except Exception:  # whatever it is, the page says that nothing is loaded and the log has the trace
            traceback.print_exc(file=sys.stderr)
            problem = Problem("load-failed")
        if problem and ON_ZERO_GPU:
            problem = Problem("restart", said=problem)
        with self._lock:
            self.state, self.problem = ("problem" if problem else "ready"), problem
            self._ended.set()


def _fresh(problem: Problem) -> Problem:
    """The problem, to be raised once more: an exception keeps the frames of every raise."""
    return Problem(problem.key, **problem.fields)
