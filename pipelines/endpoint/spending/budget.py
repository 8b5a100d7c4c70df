"""Checks limits on requests, tokens and money before a request leaves."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.spending.answer_store import Reservation, Spent, Store
from pipelines.endpoint.spending.prices import Price
from pipelines.endpoint.spending.store_file import BUSY_S, is_busy

#: Seconds between two looks at what other processes do.
LOOK_S = 0.05

Result = TypeVar("Result")


@dataclass(frozen=True)
class Caps:
    """What a run may send at most; None is no limit. `tokens` counts those of prompts and answers together."""

    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None


class Receipt:
    """The cost of one request: at most at first, then what it was.

    Attributes:
        answer: what is to be kept of it; there at once where somebody else has got it, and then nothing is to be sent.
    """

    def __init__(self, most: Spent, answer: Any = None) -> None:
        self.outcome = "lost"  # no answer, and it may have been billed: a time-out, a kill
        self.cost = most
        self.answer = answer

    def settle(self, outcome: str, input_tokens: int, output_tokens: int, price: Price | None) -> None:
        """Note what came of it and what it cost."""
        self.outcome = outcome
        usd = price.usd(input_tokens, output_tokens) if price else 0.0
        self.cost = Spent(1, input_tokens, output_tokens, usd)


class Budget:
    """Counts what a run sends, in this process and in all others, and holds back what would pass a limit.

    Attributes:
        run: whose limits these are.
        spent: by all requests, but not by those that this budget has in flight.
    """

    def __init__(self, caps: Caps, price: Price | None, store: Store, run: str, patience: float) -> None:
        """
        Args:
            patience: seconds that a request of another process may be in flight; later it counts as lost.
        """
        self.caps, self.price, self.run = caps, price, run
        self._store, self._patience = store, patience
        self.spent = store.spent(run)
        self._reserved = Spent()
        self._settled = asyncio.Condition()

    @asynccontextmanager
    async def request(self, key: str, input_tokens: int, output_tokens: int) -> AsyncIterator[Receipt]:
        """Let one request out. The caller settles the receipt; one that is not settled is counted at its most.

        Where the same is in flight, in whatever process, what comes of that is waited for: see `Receipt.answer`.

        Args:
            input_tokens, output_tokens: at most.

        Raises:
            BudgetSpentError: it might pass a limit, even when all that is in flight turns out cheap.
        """
        most = self.cost_at_most(input_tokens, output_tokens)
        reservation = await self._reserve(key, most)
        receipt = Receipt(most, reservation.answer)
        if not reservation.number:
            yield receipt
            return
        self._reserved += most
        self.spent = reservation.spent - self._reserved
        try:
            yield receipt
        finally:
            await self._settle(key, reservation.number, receipt, most)

    async def _reserve(self, key: str, most: Spent) -> Reservation:
        def reserve() -> Reservation:
            return self._store.reserve(
                self.run, key, most, lambda spent: self.limit_passed_from(spent, most), self._patience
            )

        while True:
            reservation = await self._when_free(reserve)
            if reservation.number or reservation.answer is not None:
                return reservation
            if not reservation.wait:
                raise BudgetSpentError(reservation.passed)
            async with self._settled:
                with suppress(TimeoutError):  # other processes do not tell when something changes
                    async with asyncio.timeout(LOOK_S):
                        await self._settled.wait()

    async def _settle(self, key: str, number: int, receipt: Receipt, most: Spent) -> None:
        def settle() -> Spent:
            return self._store.settle(self.run, key, number, receipt.outcome, receipt.cost, receipt.answer)

        try:
            spent = await self._when_free(settle)
        except asyncio.CancelledError:
            settle()  # it was paid
            raise
        self._reserved -= most
        self.spent = spent - self._reserved
        async with self._settled:
            self._settled.notify_all()

    async def _when_free(self, write: Callable[[], Result]) -> Result:
        """Write into the store. Where another process holds its file for long, the event loop goes on meanwhile."""
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                with self._store.prompt():
                    return write()
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(LOOK_S)

    def cost_at_most(self, input_tokens: int, output_tokens: int) -> Spent:
        """The cost of one request with at most so many tokens."""
        return Spent(1, input_tokens, output_tokens, self.price.usd(input_tokens, output_tokens) if self.price else 0.0)

    def limit_passed_by(self, most: Spent) -> str:
        """The limit that it might pass to send what costs so much at most, in words; empty if none."""
        return self.limit_passed_from(self.spent, most)

    def limit_passed_from(self, spent: Spent, most: Spent) -> str:
        """The same, where so much is spent by now."""
        caps, total = self.caps, spent + most
        if caps.requests is not None and total.requests > caps.requests:
            return f"max_requests = {caps.requests} ({spent.requests} sent)"
        if caps.tokens is not None and total.input_tokens + total.output_tokens > caps.tokens:
            return f"max_tokens = {caps.tokens} ({spent.input_tokens + spent.output_tokens} spent)"
        if caps.usd is not None and total.usd > caps.usd:
            return f"max_usd = {caps.usd} ({spent.usd:.4f} spent)"
        return ""
