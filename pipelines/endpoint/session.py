"""Runs a client in a thread of its own, for code that does not await and for any event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from pipelines.endpoint.account import open_api
from pipelines.endpoint.client import Client
from pipelines.endpoint.options import EndpointOptions

Result = TypeVar("Result")


class Session:
    """An endpoint that can be asked until the block ends. Nothing is sent yet.

    Attributes:
        client: of the session's own event loop; use it in work that is given to `run` or `arun`.

    Example:
        >>> with Session(options, key) as session:
        ...     reply = session.run(session.client.ask(body))
    """

    def __init__(self, options: EndpointOptions, api_key: str) -> None:
        """Open it.

        Args:
            api_key: any word where the endpoint asks for none.
        """
        for name in ("httpx", "httpx2", "openai"):  # a line for each request
            logging.getLogger(name).setLevel(logging.WARNING)
        self.client = Client(open_api(options.base_url, api_key, options.timeout), options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for work that is done on the session's loop; an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def arun(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for work as `run` does, from another event loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Let go of thread, connections and file. What is in flight is lost."""
        if self._loop.is_closed():
            return
        self.run(_cancel_all())
        self.run(self.client.connection.api.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.client.store.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
