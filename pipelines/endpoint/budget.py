"""Checks limits on requests, tokens and money before a request leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pipelines.endpoint.answer_store import Spent, Store
from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.prices import Price


@dataclass(frozen=True)
class Caps:
    """What a run may send at most; None is no limit. `tokens` counts those of prompts and answers together."""

    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None


class Receipt:
    """The cost of one request: at most at first, then what it was."""

    def __init__(self, most: Spent) -> None:
        self.outcome = "lost"  # no answer, and it may have been billed: a time-out, a kill
        self.cost = most

    def settle(self, outcome: str, input_tokens: int, output_tokens: int, price: Price | None) -> None:
        """Note what came of it and what it cost."""
        self.outcome = outcome
        usd = price.usd(input_tokens, output_tokens) if price else 0.0
        self.cost = Spent(1, input_tokens, output_tokens, usd)


class Budget:
    """Counts what a run has sent, in this process and in those before it, and holds back what would pass a limit.

    Attributes:
        run: whose limits these are.
        spent: by all requests that are not in flight any more.
    """

    def __init__(self, caps: Caps, price: Price | None, store: Store, run: str) -> None:
        self.caps, self.price = caps, price
        self._store, self.run = store, run
        self.spent = store.spent(run)
        self._reserved = Spent()
        self._settled = asyncio.Condition()

    @asynccontextmanager
    async def request(self, key: str, input_tokens: int, output_tokens: int) -> AsyncIterator[Receipt]:
        """Let one request out. The caller settles the receipt; one that is not settled is counted at its most.

        Args:
            input_tokens, output_tokens: at most.

        Raises:
            BudgetSpentError: it might pass a limit, even when all that is in flight turns out cheap.
        """
        most = self.cost_at_most(input_tokens, output_tokens)
        async with self._settled:
            while passed := self.limit_passed_by(most):
                if not self._reserved.requests:
                    raise BudgetSpentError(passed)
                await self._settled.wait()
            self._reserved += most
        number = self._store.note_sent(self.run, key, most)
        receipt = Receipt(most)
        try:
            yield receipt
        finally:
            self._store.note_outcome(number, receipt.outcome, receipt.cost)
            self._reserved -= most
            self.spent += receipt.cost
            async with self._settled:
                self._settled.notify_all()

    def cost_at_most(self, input_tokens: int, output_tokens: int) -> Spent:
        """The cost of one request with at most so many tokens."""
        return Spent(1, input_tokens, output_tokens, self.price.usd(input_tokens, output_tokens) if self.price else 0.0)

    def limit_passed_by(self, most: Spent) -> str:
        """The limit that it might pass to send what costs so much at most, in words; empty if none."""
        spent, caps = self.spent, self.caps
        total = spent + self._reserved + most
        if caps.requests is not None and total.requests > caps.requests:
            return f"max_requests = {caps.requests} ({spent.requests} sent)"
        if caps.tokens is not None and total.input_tokens + total.output_tokens > caps.tokens:
            return f"max_tokens = {caps.tokens} ({spent.input_tokens + spent.output_tokens} spent)"
        if caps.usd is not None and total.usd > caps.usd:
            return f"max_usd = {caps.usd} ({spent.usd:.4f} spent)"
        return ""
