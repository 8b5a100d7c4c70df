"""Limits how many requests are in flight: additive increase, multiplicative decrease, as TCP does it.

Chiu & Jain 1989, "Analysis of the increase and decrease algorithms for congestion avoidance in computer networks".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: What is left of the limit after an endpoint said "too many".
DECREASE = 0.7
#: Round trips in which the limit grows from nothing to the most: an endpoint's trip takes seconds, not milliseconds.
RECOVERY = 16
#: Seconds in which several refusals count as one: they answer requests that left together.
EPOCH_S = 1.0
#: Seconds that an endpoint may ask us to wait at most before it counts as a failure.
LONGEST_WAIT_S = 600.0


class RateLimiter:
    """Lets requests through, `limit` at a time, and none while the endpoint wants silence.

    Attributes:
        limit: requests in flight at most right now, 1..max_in_flight.
        in_flight: requests in flight.
    """

    def __init__(self, max_in_flight: int) -> None:
        self.max_in_flight = max_in_flight
        self.limit = float(max_in_flight)
        self.in_flight = 0
        self._closed_until = 0.0
        self._last_decrease = -EPOCH_S
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a place, hold it for the block."""
        async with self._changed:
            while self._wait() > 0 or self.in_flight >= max(1, int(self.limit)):
                await self._sleep(self._wait())
            self.in_flight += 1
        try:
            yield
        finally:
            async with self._changed:
                self.in_flight -= 1
                self._changed.notify(2)  # the limit may have grown meanwhile

    def on_answer(self) -> None:
        """Raise the limit a little: by one step after as many answers as there are places, which is one round trip."""
        self.limit = min(self.max_in_flight, self.limit + max(1, self.max_in_flight / RECOVERY) / self.limit)

    def on_throttled(self, retry_after: float | None) -> None:
        """Lower the limit after a "too many", and let nothing through for as long as the endpoint asked (seconds)."""
        now = time.monotonic()
        if now - self._last_decrease >= EPOCH_S:
            self.limit = max(1.0, self.limit * DECREASE)
            self._last_decrease = now
        if retry_after:
            self._closed_until = max(self._closed_until, now + min(retry_after, LONGEST_WAIT_S))

    def _wait(self) -> float:
        return self._closed_until - time.monotonic()

    async def _sleep(self, seconds: float) -> None:
        """Wait until something changed, or the silence is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds if seconds > 0 else None)
        except TimeoutError:
            return
