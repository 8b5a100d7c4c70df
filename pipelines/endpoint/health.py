"""Tells an endpoint that fails at everything from one that fails at some requests."""

from __future__ import annotations

import time

#: In each pair: before the endpoint's first answer, and after it, when some failures among answers are likely.
Limits = tuple[int, int]

#: Refusals in a row that mean all requests. A prompt may be refused for itself (too long, moderated); even where half
#: of them are, 20 in a row come about once in a million, and where a tenth are, 5 come in 100,000.
REFUSALS: Limits = (5, 20)
#: The same of "you may not" and "not here", which rarely are about one prompt.
FORBIDDEN: Limits = (1, 3)
#: Failed attempts in a row after which it is not some that fail: all requests then wait together, and one tries.
#: An endpoint that fails at half of all attempts has ten in a row once in a thousand, and loses a second by it.
TROUBLE = 10
#: Requests that are among the attempts: one alone may be what the endpoint stumbles over, and two by chance.
REQUESTS = 3
#: Failed attempts in a row, and seconds since the first of them, that mean all. A model server that starts or restarts
#: behind a proxy says 502 for a minute; a full round of requests may fail in a moment. The last three requests of a run
#: may fail at all their attempts, 24, without meaning more than themselves.
ATTEMPTS: Limits = (TROUBLE, 3 * TROUBLE)
SECONDS: tuple[float, float] = (20.0, 120.0)
#: Seconds of nothing but failures that are enough whatever their number: time-outs take minutes each.
SILENCE_S: tuple[float, float] = (300.0, 900.0)


class Health:
    """What all requests have met since the last answer."""

    def __init__(self) -> None:
        self._later = 0  # 1 once there was an answer: the place in `Limits`
        self._forget()

    def _forget(self) -> None:
        self._refusals = self._forbidden = self._attempts = self._waits = 0
        self._requests: set[str] = set()
        self._since = 0.0

    def on_answer(self) -> None:
        """Note that a request was answered, with a text or by a model that will not write."""
        self._later = 1
        self._forget()

    def on_refusal(self, *, forbidden: bool = False) -> bool:
        """Note that a request failed for good; whether that means all requests."""
        self._refusals += 1
        self._forbidden += forbidden
        return self._refusals >= REFUSALS[self._later] or self._forbidden >= FORBIDDEN[self._later]

    def on_failure(self, key: str) -> bool:
        """Note that an attempt at a request failed; whether another attempt at any is of no use."""
        now = time.monotonic()
        self._since = self._since if self._attempts else now
        self._attempts += 1
        self._requests.add(key)
        seconds = now - self._since
        many = self._attempts >= ATTEMPTS[self._later] and seconds >= SECONDS[self._later]
        return len(self._requests) >= REQUESTS and (many or seconds >= SILENCE_S[self._later])

    def on_wait(self) -> bool:
        """Note that the endpoint asked for time, and not how long; whether it looks as if all were to wait."""
        self._waits += 1
        return self._waits >= TROUBLE

    @property
    def in_trouble(self) -> bool:
        """Whether it looks as if every request would fail now."""
        return self._attempts >= TROUBLE
