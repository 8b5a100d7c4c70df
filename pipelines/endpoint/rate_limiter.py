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
#: Seconds between two tries where everything fails: the first time, doubled from try to try up to the longest.
FIRST_TRY_S, LONGEST_TRY_S = 1.0, 10.0


class RateLimiter:
    """Lets requests through, `limit` at a time, and none while the endpoint wants silence.

    Requests are numbered as they leave. "Too many" said to one closes the gate for all; the answer to one that left
    after it shows that the silence was meant for that one alone, and opens the gate again.

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
        self._last_sent = 0
        self._refused = 0  # the last one that was told to wait
        self._try_s = 0.0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait for a place, hold it for the block. Its value is the request's number, from 1 on."""
        async with self._changed:
            while self._wait() > 0 or self._places() < 1:
                await self._sleep(self._wait())
            self.in_flight += 1
            self._last_sent += 1
            number = self._last_sent
        try:
            yield number
        finally:
            async with self._changed:
                self.in_flight -= 1
                self._changed.notify(max(1, self._places()))  # limit or gate may have changed meanwhile

    def on_answer(self, number: int) -> None:
        """Raise the limit a little: by one step after as many answers as there are places, which is one round trip."""
        self.limit = min(self.max_in_flight, self.limit + max(1, self.max_in_flight / RECOVERY) / self.limit)
        self._try_s = 0.0
        if number > self._refused:
            self.open()

    def on_throttled(self, number: int, retry_after: float | None) -> None:
        """Lower the limit after a "too many", and let nothing through for as long as the endpoint asked (seconds)."""
        now = time.monotonic()
        if now - self._last_decrease >= EPOCH_S:
            self.limit = max(1.0, self.limit * DECREASE)
            self._last_decrease = now
        if retry_after:
            self._refused = max(self._refused, number)
            self._closed_until = max(self._closed_until, now + min(retry_after, LONGEST_WAIT_S))

    def on_timeout(self) -> None:
        """Take its place from a request that was not answered in time: so many at a time are too many."""
        self.limit = max(1.0, min(self.limit - 1, self.in_flight - 1))

    def on_trouble(self) -> None:
        """Let one request at a time try, after a pause, where all that were sent have failed."""
        self.limit = 1.0
        if self._wait() <= 0:  # else they failed together
            self._try_s = min(LONGEST_TRY_S, max(FIRST_TRY_S, 2 * self._try_s))
            self._closed_until = time.monotonic() + self._try_s

    def open(self) -> None:
        """End the silence. Who waits comes through as soon as a place is given back."""
        self._closed_until = 0.0

    def _places(self) -> int:
        return max(1, int(self.limit)) - self.in_flight

    def _wait(self) -> float:
        return self._closed_until - time.monotonic()

    async def _sleep(self, seconds: float) -> None:
        """Wait until something changed, or the silence is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds if seconds > 0 else None)
        except TimeoutError:
            return
