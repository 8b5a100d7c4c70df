"""Works on many items at a time, and starts no more once one of them has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def map_concurrently(
    work: Callable[[Item], Awaitable[Result]], items: Iterable[Item], max_in_flight: int
) -> list[Result]:
    """The results, in the order of the items, which are taken from their iterator when their turn comes.

    Args:
        max_in_flight: items under way at a time.

    Raises:
        Exception: the first that `work` raised. Nothing more is begun then, and what is under way is waited for: it is
            paid in any case.
    """
    results: dict[int, Result] = {}
    numbered = iter(enumerate(items))
    errors: list[Exception] = []

    async def worker() -> None:
        while not errors and (numbered_item := next(numbered, None)):
            place, item = numbered_item
            try:
                results[place] = await work(item)
            except Exception as error:
                errors.append(error)

    await asyncio.gather(*(worker() for _ in range(max_in_flight)))
    if errors:
        raise errors[0]
    return [results[place] for place in range(len(results))]
