"""Requests in line: their places, whose they are, what each has come to."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from typing import Any, Literal

import messages
from request import Problem, Request

MAX_WAITING = 16
MAX_OF_VISITOR = 2  # running or waiting
MAX_OF_ADDRESS = 8  # a visit is what the visitor says it is; an office shares an address
MAX_SECONDS = 120  # of writing, once the model is there

State = Literal["waiting", "writing", "done", "problem"]


class Job:
    """One request, from the press to its last line.

    Attributes:
        name: what the page calls it; "" where it has no name for it.
        visitor: whose it is.
        address: where it came from, "" where that says nothing.
    """

    def __init__(self, request: Request, visitor: str, address: str = "", name: str = "") -> None:
        self.request, self.visitor, self.address, self.name = request, visitor, address, name
        self.state: State = "waiting"
        self.lines: list[str] = []
        self._problem: Problem | None = None
        self._said, self._written = "", 0
        self._dropped: Counter[str] = Counter()
        self._id = secrets.token_hex(4)
        self._deadline = float("inf")
        self._lock = threading.Lock()

    @property
    def problem(self) -> Problem | None:
        """Why there are no lines."""
        return self._problem

    def over(self) -> bool:
        """Whether it has ended. One that takes too long ends here."""
        if time.monotonic() > self._deadline:
            self.end("late")
        return self.state in ("done", "problem")

    def begin(self) -> None:
        """Writing begins, and its time runs."""
        with self._lock:
            if self.state == "waiting":
                self.state, self._deadline = "writing", time.monotonic() + MAX_SECONDS

    def count(self, dropped: str = "") -> None:
        """Count a candidate that ended, and the reason why it is not shown."""
        with self._lock:
            self._written += 1
            if dropped:
                self._dropped[dropped] += 1

    def show(self, line: str) -> None:
        """Add a line, unless the job is over."""
        with self._lock:
            if self.state == "writing":
                self.lines = [*self.lines, line]

    def end(self, said: str = "done") -> None:
        """End it with the lines that are there; only the first end counts."""
        with self._lock:
            if self.state in ("done", "problem"):
                return
            if not self.lines and said != "stopped":
                self.state, self._problem = "problem", Problem("too_late" if said == "late" else "nothing")
                return
            self.state, self._said = "done", said
            if said == "done":
                self._said = "done" if len(self.lines) == self.request.count else "fewer"
                if rest := self._written - len(self.lines) - self._dropped.total():
                    self._dropped["outranked"] = rest

    def fail(self, problem: Problem) -> None:
        """End it with a problem; only the first end counts."""
        with self._lock:
            if self.state not in ("done", "problem"):
                self.state, self._problem = "problem", problem

    def event(self, lang: messages.Language, state: str, ahead: int) -> dict[str, Any]:
        """What the page shows of it now.

        Args:
            state: its own, or "loading".
            ahead: requests that must end before it begins.
        """
        with self._lock:
            count, written, asked = len(self.lines), self._written, self.request.count
            if self._problem:
                said = self._problem.say(lang)
            else:
                key = self._said if state == "done" else "next" if state == "waiting" and not ahead else state
                said = messages.text(key, lang, ahead=ahead, count=count, written=written, asked=asked)
            return {
                "state": state,
                "message": said,
                "ahead": ahead,
                "lines": [{"id": f"{self._id}-{place}", "text": line} for place, line in enumerate(self.lines)],
                "asked": asked,
                "written": written,
                "dropped": dict(self._dropped),
                "base": self.request.base,
            }


class Line:
    """The jobs that have not ended, in order.

    Args:
        running: as many are written at a time.
    """

    def __init__(self, running: int) -> None:
        self._running, self._jobs = running, list[Job]()
        self._lock = threading.Lock()

    def enter(self, job: Job) -> None:
        """Give a job the last place.

        Raises:
            Problem: the line is full, or its visitor has places enough.
        """
        with self._lock:
            if sum(job.visitor == other.visitor for other in self._jobs) >= MAX_OF_VISITOR:
                raise Problem("your_jobs", most=MAX_OF_VISITOR)
            if job.address and sum(job.address == other.address for other in self._jobs) >= MAX_OF_ADDRESS:
                raise Problem("address_jobs", most=MAX_OF_ADDRESS)
            if len(self._jobs) >= self._running + MAX_WAITING:
                raise Problem("busy")
            self._jobs.append(job)

    def leave(self, job: Job) -> None:
        with self._lock:
            if job in self._jobs:
                self._jobs.remove(job)

    def ahead(self, job: Job) -> int:
        """How many must end before it begins."""
        with self._lock:
            place = self._jobs.index(job) if job in self._jobs else 0
            return max(0, place - self._running + 1)

    def all(self) -> list[Job]:
        with self._lock:
            return [*self._jobs]
