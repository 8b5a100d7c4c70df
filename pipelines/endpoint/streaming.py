"""Keeps a teacher busy: requests in flight in a thread of their own, answers out as they are finished."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipelines.endpoint.answers.json_answers import Form
from pipelines.endpoint.batch.client import BatchApiClient
from pipelines.endpoint.batch.filling import fill
from pipelines.endpoint.client import Client
from pipelines.endpoint.completions import Completion
from pipelines.endpoint.teacher_llm import Teacher
from pipelines.progress import Progress
from pipelines.rows import Message


@dataclass(frozen=True)
class Request:
    """One prompt for the teacher.

    Attributes:
        attempt: how often the same prompt was asked before; the answers differ.
        about: what goes with it to the answer.
    """

    messages: list[Message]
    attempt: int
    about: dict[str, Any]


@dataclass(frozen=True)
class Response:
    """The answer to one prompt, with `about` of its request."""

    about: dict[str, Any]
    completion: Completion


#: Seconds that requests in flight have to end once nobody wants their answers any more.
STOP_S = 5.0

#: Responses and None at the end, or what the thread met.
_Queue = queue.SimpleQueue[Response | Exception | None]


def stream_answers(
    llm: Teacher, requests: Iterator[Request | None], total: Callable[[], int], wanted: int, form: Form | None = None
) -> Generator[list[Response], None, None]:
    """Responses in the order in which they come, one for each request; together those that are there together.

    Close it (`contextlib.closing`) where the one who takes them may fail: nothing more is asked then.

    Args:
        requests: may give None where nothing can be asked before a response that was given has been looked at; it is
            asked again when the caller takes the next one.
        total: how many there will be as far as is known, for the progress.
        wanted: texts of each.
        form: how one answer holds all of them; None where each is a choice of its own.

    Raises:
        Exception: what the thread met; known troubles of the endpoint are failures of their prompts instead.
    """
    done: _Queue = queue.SimpleQueue()
    clients: list[Client] = []
    source = _Source(requests)
    thread = threading.Thread(target=_run, args=(llm, source, wanted, form, done, clients), daemon=True)
    thread.start()
    try:
        with Progress("writing", total(), state=lambda: _state(clients[0]) if clients else "") as progress:
            ended: Exception | bool = False
            while not ended:
                responses, ended = _come(done)
                progress.total = total()
                progress.advance(len(responses))
                yield responses
                source.look_again()
            if isinstance(ended, Exception):
                raise ended
    except BaseException:  # also that it is closed
        source.stop()
        thread.join(STOP_S)
        llm.unload()  # distilabel sends a step that fails to its parent, and no open client can be sent
        raise
    thread.join()


def _come(done: _Queue) -> tuple[list[Response], Exception | bool]:
    """What has come, one response at least unless there is none; whether that is all, or what the thread met."""
    responses: list[Response] = []
    while not responses or not done.empty():
        response = done.get()
        if not isinstance(response, Response):
            return responses, response or True
        responses.append(response)
    return responses, False


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
    """Requests for the workers of one event loop, which wait where there is none at the moment."""

    def __init__(self, requests: Iterator[Request | None]) -> None:
        self._requests = requests
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self.asking: asyncio.Task[None] | None = None  # what takes the requests

    async def next(self) -> Request | None:
        """The next request; None where there will be no more."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()  # before looking: what changes from now on wakes this up
            try:
                request = next(self._requests)
            except StopIteration:
                self._changed.set()  # whoever else waits ends too
                return None
            if request is not None:
                return request
            await self._changed.wait()

    def all(self) -> list[Request]:
        """Every request at once.

        Raises:
            ValueError: one depends on an answer, and a batch gives its answers together.
        """
        requests: list[Request] = []
        for request in self._requests:
            if request is None:
                raise ValueError("a batch cannot wait for answers: ask for each pair once")
            requests.append(request)
        return requests

    def look_again(self) -> None:
        """Wake the workers that wait; from any thread."""
        if self._loop:
            with suppress(RuntimeError):  # it is closed: nobody waits
                self._loop.call_soon_threadsafe(self._changed.set)

    def stop(self) -> None:
        """Give up what is in flight; from any thread."""
        if self.asking:
            with suppress(RuntimeError):  # the loop is closed: nothing is
                self.asking.get_loop().call_soon_threadsafe(self.asking.cancel)


def _state(client: Client) -> str:
    if isinstance(client, BatchApiClient) and client.waiting_for:
        return f"waiting for {client.waiting_for}"
    usd = client.budget.spent.usd
    return f"{client.limiter.in_flight} of {int(client.limiter.limit)} in flight" + (f", {usd:.2f} USD" if usd else "")


def _run(llm: Teacher, source: _Source, wanted: int, form: Form | None, done: _Queue, clients: list[Client]) -> None:
    """Ask everything on an event loop of this thread; the client that does is put into `clients`."""

    async def work() -> None:
        source.asking = asyncio.current_task()
        client = llm.open()
        clients.append(client)
        try:
            if isinstance(client, BatchApiClient):
                known = source.all()
                await fill(client, lambda: _ask_all(llm, _Source(iter(known)), wanted, form, queue.SimpleQueue()))
                await _ask_all(llm, _Source(iter(known)), wanted, form, done)
            else:
                await _ask_all(llm, source, wanted, form, done)
        finally:
            client.store.close()

    try:
        asyncio.run(work())
    except asyncio.CancelledError:
        done.put(None)  # nobody takes it
    except ExceptionGroup as group:
        done.put(group.exceptions[0])
    except Exception as error:
        done.put(error)
    else:
        done.put(None)


async def _ask_all(llm: Teacher, source: _Source, wanted: int, form: Form | None, done: _Queue) -> None:
    generation: dict[str, Any] = dict(llm.generation_kwargs)
    if form:
        generation |= {"response_format": form.response_format, "max_new_tokens": form.max_new_tokens}

    async def work() -> None:
        while request := await source.next():
            read = form.read if form else None
            completion = await llm.write(request.messages, wanted, read, attempt=request.attempt, **generation)
            done.put(Response(request.about, completion))

    # As many workers as requests may be in flight: prompts are made when their turn comes.
    async with asyncio.TaskGroup() as workers:
        for _ in range(llm.options.concurrency):
            workers.create_task(work())
