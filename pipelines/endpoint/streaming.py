"""Keeps a teacher busy: requests in flight in a thread of their own, written pairs out as they are finished."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator
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
    llm: Teacher, asked: Iterator[Request], total: int, wanted: int, form: Form | None = None
) -> Iterator[Response]:
    """Answers in the order in which they come, one for each that is asked.

    Args:
        total: how many there will be, for the progress bar.
        wanted: texts of each.
        form: how one answer holds all of them; None where each is a choice of its own.

    Raises:
        Exception: what the thread met; known troubles of the endpoint are failures of their pairs instead.
    """
    done: queue.SimpleQueue[Response | Exception | None] = queue.SimpleQueue()
    client: list[Client] = []
    thread = threading.Thread(target=_run, args=(llm, asked, wanted, form, done, client), daemon=True)
    thread.start()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )  # fmt: skip
    console = Console(stderr=True)
    # Off a terminal it would show nothing, and cost a thread and a twentieth of the time.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("writing", total=total, state="")
        while answered := done.get():
            if isinstance(answered, Exception):
                llm.unload()  # distilabel sends a step that fails to its parent, and no open client can be sent
                raise answered
            progress.update(bar, advance=1, state=_state(client[0]))
            yield answered
    thread.join()


def in_batches(answers: Iterator[Response], total: int, size: int) -> Iterator[tuple[list[dict[str, str]], bool]]:
    """The answers in batches of rows, `about` and `written` as JSON text, and whether a batch is the last.

    Text, because distilabel infers the types of each file anew: lists that are empty in one would not fit others.
    """
    rows: list[dict[str, str]] = []
    for count, answered in enumerate(answers, 1):
        about, written = answered.about, answered.written.to_json()
        rows.append(
            {"about": json.dumps(about, ensure_ascii=False), "written": json.dumps(written, ensure_ascii=False)}
        )
        if len(rows) == size or count == total:
            yield rows, count == total
            rows = []


def _state(client: Client) -> str:
    usd = client.budget.spent.usd
    return f"{client.limiter.in_flight} of {int(client.limiter.limit)} in flight" + (f", {usd:.2f} USD" if usd else "")


def _run(
    llm: Teacher,
    asked: Iterator[Request],
    wanted: int,
    form: Form | None,
    done: queue.SimpleQueue[Response | Exception | None],
    client: list[Client],
) -> None:
    async def work() -> None:
        client.append(llm.open())
        questions = asked
        if isinstance(client[0], BatchApiClient):
            known = list(asked)
            await fill(llm, client[0], lambda: _each(llm, iter(known), wanted, form, queue.SimpleQueue()))
            questions = iter(known)
        await _each(llm, questions, wanted, form, done)
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
    asked: Iterator[Request],
    wanted: int,
    form: Form | None,
    done: queue.SimpleQueue[Response | Exception | None],
) -> None:
    options: dict[str, Any] = dict(llm.generation_kwargs)
    if form:
        options |= {"response_format": form.response_format, "max_new_tokens": form.max_new_tokens}

    async def work() -> None:
        for question in asked:
            read = form.read if form else None
            written = await llm.write(question.messages, wanted, read, attempt=question.attempt, **options)
            done.put(Response(question.about, written))

    # As many workers as requests may be in flight: prompts are made when their turn comes.
    async with asyncio.TaskGroup() as workers:
        for _ in range(llm.concurrency):
            workers.create_task(work())
