"""The session's local Hub, which fails some requests of its clients on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

#: A status with headers, or what a network does.
Answer = tuple[int, dict[str, str]] | Exception


class _Transport(httpx2.BaseTransport):
    def __init__(self, pattern: str, answers: Iterable[Answer], asked: list[str]) -> None:
        self._inner, self._pattern, self._answers, self._asked = httpx2.HTTPTransport(), pattern, iter(answers), asked

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        line = f"{request.method} {request.url.path}"
        answer = next(self._answers, None) if re.search(self._pattern, line) else None
        if answer is None:
            return self._inner.handle_request(request)
        self._asked.append(line)
        if isinstance(answer, Exception):
            raise answer
        status, headers = answer
        return httpx2.Response(status, headers=headers, text=f"{status} on purpose")


@contextmanager
def failing(pattern: str, answers: Iterable[Answer]) -> Iterator[list[str]]:
    """Requests whose `METHOD /path` matches get these answers in turn, others and later ones the Hub's own.

    Yields:
        The requests that failed.
    """
    asked: list[str] = []
    answers = iter(answers)

    def client() -> httpx2.Client:
        plain = default_client_factory()
        return httpx2.Client(
            transport=_Transport(pattern, answers, asked),
            event_hooks=plain.event_hooks,
            follow_redirects=True,
            timeout=None,
        )

    set_client_factory(client)
    try:
        yield asked
    finally:
        set_client_factory(default_client_factory)
