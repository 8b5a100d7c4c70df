"""Keeps a teacher busy: requests in flight in a thread of their own, written pairs out as they are finished."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.endpoint.batch_api import BatchApiClient, fill
from pipelines.endpoint.client import Client
from pipelines.endpoint.json_answers import Form
from pipelines.endpoint.teacher_llm import Completion, Teacher
from pipelines.rows import Message


@dataclass(frozen=True)
class Request:
    """One pair for the teacher.

    Attributes:
        messages: its prompt.
        attempt: how often the same prompt was asked before; the answers differ.
        about: what goes with it to the answer.
    """

    messages: list[Message]
    attempt: int
    about: dict[str, Any]


@dataclass(frozen=True)
class Response:
    """What came of one pair: `about` of its question, and the texts."""

    about: dict[str, Any]
    written: Completion


def stream_answers(
    llm: Teacher, asked: Iterator[Request | None], total: Callable[[], int], wanted: int, form: Form | None = None
) -> Iterator[Response]:
    """Answers in the order in which they come, one for each that is asked.

    Args:
        asked: may give None where nothing can be asked before an answer that was given has been looked at; it is asked
            again when the caller takes the next one.
        total: how many there will be as far as is known, for the progress bar.
        wanted: texts of each.
        form: how one answer holds all of them; None where each is a choice of its own.

    Raises:
        Exception: what the thread met; known troubles of the endpoint are failures of their pairs instead.
    """
    done: queue.SimpleQueue[Response | Exception | None] = queue.SimpleQueue()
    client: list[Client] = []
    source = _Source(asked)
    thread = threading.Thread(target=_run, args=(llm, source, wanted, form, done, client), daemon=True)
    thread.start()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )  # fmt: skip
    console = Console(stderr=True)
    # Off a terminal it would show nothing, and cost a thread and a twentieth of the time.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("writing", total=total(), state="")
        while answered := done.get():
            if isinstance(answered, Exception):
                llm.unload()  # distilabel sends a step that fails to its parent, and no open client can be sent
                raise answered
            progress.update(bar, total=total(), advance=1, state=_state(client[0]))
            yield answered
            source.look_again()
    thread.join()


def in_batches(rows: Iterator[dict[str, str]], size: int) -> Iterator[tuple[list[dict[str, str]], bool]]:
    """Rows in batches, and whether a batch is the last."""
    batch: list[dict[str, str]] = []
    for row in rows:
        if len(batch) == size:
            yield batch, False
            batch = []
        batch.append(row)
    yield batch, True


class _Source:
    """Questions for workers of one event loop, which wait where there is none at the moment."""

    def __init__(self, asked: Iterator[Request | None]) -> None:
        self._asked = asked
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()

    async def next(self) -> Request | None:
        """The next question; None where there will be no more."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()  # before looking: what changes from now on wakes this up
            try:
                question = next(self._asked)
            except StopIteration:
                self._changed.set()  # whoever else waits ends too
                return None
            if question is not None:
                return question
            await self._changed.wait()

    def all(self) -> list[Request]:
        """Every question at once.

        Raises:
            ValueError: one depends on an answer, and a batch gives its answers together.
        """
        questions: list[Request] = []
        for question in self._asked:
            if question is None:
                raise ValueError("a batch cannot wait for answers: ask for each pair once")
            questions.append(question)
        return questions

    def look_again(self) -> None:
        """Wake the workers that wait; from any thread."""
        if self._loop and not self._loop.is_closed():
            with suppress(RuntimeError):  # it was closed meanwhile: nobody waits
                self._loop.call_soon_threadsafe(self._changed.set)


def _state(client: Client) -> str:
    usd = client.budget.spent.usd
    return f"{client.limiter.in_flight} of {int(client.limiter.limit)} in flight" + (f", {usd:.2f} USD" if usd else "")


def _run(
    llm: Teacher,
    source: _Source,
    wanted: int,
    form: Form | None,
    done: queue.SimpleQueue[Response | Exception | None],
    client: list[Client],
) -> None:
    async def work() -> None:
        client.append(llm.open())
        if isinstance(client[0], BatchApiClient):
            known = source.all()
            await fill(llm, client[0], lambda: _each(llm, _Source(iter(known)), wanted, form, queue.SimpleQueue()))
            await _each(llm, _Source(iter(known)), wanted, form, done)
        else:
            await _each(llm, source, wanted, form, done)
        client[0].store.close()

    try:
        asyncio.run(work())
    except ExceptionGroup as group:
        done.put(group.exceptions[0])
    except Exception as error:
        done.put(error)
    else:
        done.put(None)


async def _each(
    llm: Teacher,
    source: _Source,
    wanted: int,
    form: Form | None,
    done: queue.SimpleQueue[Response | Exception | None],
) -> None:
    options: dict[str, Any] = dict(llm.generation_kwargs)
    if form:
        options |= {"response_format": form.response_format, "max_new_tokens": form.max_new_tokens}

    async def work() -> None:
        while question := await source.next():
            read = form.read if form else None
            written = await llm.write(question.messages, wanted, read, attempt=question.attempt, **options)
            done.put(Response(question.about, written))

    # As many workers as requests may be in flight: prompts are made when their turn comes.
    async with asyncio.TaskGroup() as workers:
        for _ in range(llm.concurrency):
            workers.create_task(work())
