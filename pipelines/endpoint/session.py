"""A client in a thread of its own: asked from code that does not await, and from any event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import openai

from pipelines.endpoint.answer_store import Store
from pipelines.endpoint.budget import Budget, Caps
from pipelines.endpoint.client import Client
from pipelines.endpoint.prices import Price
from pipelines.endpoint.rate_limiter import RateLimiter

Found = TypeVar("Found")


class Session:
    """An endpoint that can be asked until the block ends. Nothing is sent yet.

    Attributes:
        client: of the session's own event loop; use it in work that is given to `run` or `arun`.

    Example:
        >>> with Session(url, key, identity="gpt-4o", store=path, run_id="try") as session:
        ...     reply = session.run(session.client.ask(body))
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        identity: str,
        store: Path,
        run_id: str,
        concurrency: int = 16,
        timeout: float = 120,
        caps: Caps | None = None,
        price: Price | None = None,
    ) -> None:
        """Open it.

        Args:
            base_url: up to and with `/v1`.
            api_key: any word where the endpoint asks for none.
            identity, store: see `pipelines.endpoint.answer_store`.
            run_id: whose limits `caps` are, over all processes.
            concurrency: requests in flight at most.
            timeout: seconds that an answer may take.
            price: USD per million tokens, or None.
        """
        for name in ("httpx", "httpx2", "openai"):  # a line for each request
            logging.getLogger(name).setLevel(logging.WARNING)
        self._store = Store(store)
        self._api = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=timeout)
        budget = Budget(caps or Caps(), price, self._store, run_id)
        # Choices of one request: one, because each answer has a seed of its own.
        self.client = Client(self._api, identity, 1, store=self._store, limiter=RateLimiter(concurrency), budget=budget)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Wait for work that is done on the session's loop; an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def arun(self, work: Coroutine[Any, Any, Found]) -> Found:
        """The same, from another event loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Let go of thread, connections and file. What is in flight is lost."""
        if self._loop.is_closed():
            return
        self.run(_cancel_all())
        self.run(self._api.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._store.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
