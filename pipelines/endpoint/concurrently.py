"""Asks many questions at a time, and stops when there is no point in going on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Asked = TypeVar("Asked")
Found = TypeVar("Found")


async def ask_all(questions: Iterable[Asked], ask: Callable[[Asked], Awaitable[Found]], most: int) -> list[Found]:
    """The answers, in the order of the questions, which are taken from their iterator when their turn comes.

    Args:
        most: questions under way at most.

    Raises:
        Exception: the first that `ask` raised. Nothing more was asked then, and what was under way is waited for: it is
            paid in any case.
    """
    found: dict[int, Found] = {}
    numbered = iter(enumerate(questions))
    trouble: list[Exception] = []

    async def work() -> None:
        while not trouble and (question := next(numbered, None)):
            place, asked = question
            try:
                found[place] = await ask(asked)
            except Exception as error:
                trouble.append(error)

    await asyncio.gather(*(work() for _ in range(most)))
    if trouble:
        raise trouble[0]
    return [found[place] for place in range(len(found))]
