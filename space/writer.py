"""Writes what is asked for: more candidates than are shown, the best of them one by one."""

from __future__ import annotations

import asyncio
import contextvars
import html
import re
import secrets
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import messages
from gradio import Error as GradioError
from jobs import Job, Line
from loading import Loader
from request import Problem, Request

if TYPE_CHECKING:
    from critic import Critic
    from engines import Engine
    from selection import Selection

CANDIDATES = 3  # written for each line that is shown
MAX_CANDIDATES = 24
ROUNDS = 2  # the second where the first left too few
TICK = 0.1  # seconds between two looks at a job
PULSE = 3  # seconds after which an event is told again: only then does Gradio notice that nobody listens any more


class Writer:
    """The line in front of an engine, and its workers: as many as the engine writes for at a time.

    Args:
        select: makes the selection of a request, near to a line where one is given.
        prompt_format: of the user's turn, with `{product}` and `{values}`.
    """

    def __init__(self, engine: Engine, critic: Critic, select: Callable[[str], Selection], prompt_format: str) -> None:
        self.engine, self.critic, self.select, self.prompt_format = engine, critic, select, prompt_format
        self.loader = Loader([engine, critic])
        self._line = Line(engine.concurrency)
        self._workers = ThreadPoolExecutor(engine.concurrency, thread_name_prefix="writer")

    def submit(self, request: Request, visitor: str, address: str = "", name: str = "") -> Job:
        """Put a request in line. A failed load is tried again.

        Raises:
            Problem: the line is full, the visitor has places enough, or nothing can be loaded.
        """
        if request.base and not self.engine.can_compare:
            raise Problem("no_compare")
        job = Job(request, visitor, address, name)
        self._line.enter(job)
        try:
            self.loader.retry()
            self._workers.submit(contextvars.copy_context().run, self._work, job)  # ZeroGPU looks the visitor up in it
        except Exception:
            self._line.leave(job)
            raise
        return job

    async def follow(self, job: Job, lang: messages.Language) -> AsyncIterator[dict[str, Any]]:
        """Yield the job's event whenever it changes; the last one is done or a problem. Who stops following leaves."""
        told, since = None, 0.0
        try:
            while True:
                over = job.over()  # before the event, which must be the last then
                event = self._event(job, lang)
                if event != told or time.monotonic() - since > PULSE:
                    told, since = event, time.monotonic()
                    yield event
                if over:
                    return
                await asyncio.sleep(TICK)
        finally:
            job.end("stopped")
            self._line.leave(job)

    def stop(self, name: str) -> None:
        """End the job that the page calls so, if it is in line."""
        for job in self._line.all():
            if name and job.name == name:
                job.end("stopped")

    def close(self) -> None:
        """End all jobs: Python waits for the workers before it ends."""
        for job in self._line.all():
            job.end("stopped")

    def _event(self, job: Job, lang: messages.Language) -> dict[str, Any]:
        loading = job.state == "waiting" and self.loader.state == "loading"
        return job.event(lang, "loading" if loading else job.state, self._line.ahead(job))

    def _work(self, job: Job) -> None:
        """One job, in a worker. It always ends, so the line always moves on."""
        try:
            while not job.over() and not self.loader.wait(TICK):
                pass
            if not job.over():
                job.begin()
                self._write(job)
                job.end()
        except Problem as problem:
            job.fail(problem)
        except GradioError as error:  # ZeroGPU's own: a quota that is used up, no GPU that is free
            job.fail(Problem("no_gpu", said=_words(error)))
        except Exception:  # whatever it is, the visitor reads a sentence and the log has the trace
            traceback.print_exc(file=sys.stderr)
            job.fail(Problem("failed"))
        finally:
            self._line.leave(job)

    def _write(self, job: Job) -> None:
        """Show as many different lines as are asked for, if `ROUNDS` rounds of candidates give them."""
        request = job.request
        if refusal := self.critic.refuse(request.product, request.values):
            raise Problem(refusal)
        selection, seen = self.select(request.like), {request.like}
        for _ in range(ROUNDS):
            there = len(job.lines)
            missing = request.count - there
            count = min(CANDIDATES * missing, MAX_CANDIDATES)
            for ended, line in enumerate(self._candidates(job, count), 1):
                self._judge(job, line, seen, selection)
                due = there + ended * missing // count
                while len(job.lines) < due and not job.over() and (best := selection.take()) is not None:
                    job.show(best)
                if job.over():
                    return
            if len(job.lines) == request.count:
                return

    def _candidates(self, job: Job, count: int) -> Iterator[str]:
        request = job.request
        return self.engine.lines(
            request.chat(self.prompt_format),
            count,
            request.temperature,
            secrets.randbits(32),
            base=request.base,
            stopped=job.over,
        )

    def _judge(self, job: Job, line: str, seen: set[str], selection: Selection) -> None:
        """Let a candidate be chosen, unless something is wrong with it."""
        product, values = job.request.product, job.request.values
        fault = "empty" if not line else "near_duplicate" if line in seen else self.critic.fault(product, values, line)
        if not fault:
            selection.add(line, *self.critic.scores(product, values, [line]))
        seen.add(line)
        job.count(fault)


def _words(error: GradioError) -> str:
    """Title and message of an error of Gradio, which may be HTML, as text."""
    said = re.sub(r"<[^>]*>", "", html.unescape(error.message))
    title = getattr(error, "title", "")
    return f"{title}: {said}" if title and title != "Error" else said
