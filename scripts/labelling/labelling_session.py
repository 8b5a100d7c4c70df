"""Lead one person through the items: which comes next, votes, skips and undo. No page in here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from model_card.comparison.agreement import Choice, Vote
from pipelines.rows import normalise
from scripts.labelling.items import Item, a_shown_first
from scripts.labelling.vote_log import VoteLog

Press = Literal["first", "second", "tie"]
LONGEST_NAME = 40


class LabellingSession:
    """One person's way through the items, from the first one without their vote.

    Attributes:
        items: all of them.
        skipped: ids of items left for later in this session.
    """

    def __init__(self, items: Sequence[Item], vote_log: VoteLog, question: str, voter: str, seed: int) -> None:
        self.items = items
        self.voter = voter
        self.question = question
        self.skipped: set[str] = set()
        self._vote_log = vote_log
        self._answered = vote_log.answered(voter, question)
        self._a_first = a_shown_first(items, voter, seed)
        self._undoable: list[tuple[Item, Vote | None]] = []
        self._again: Item | None = None
        self._shown_at = time.monotonic()

    @property
    def current(self) -> Item | None:
        """The item to show, None where nothing is left."""
        passed = self._answered | self.skipped
        first = [self._again] if self._again else []
        return next((item for item in (*first, *self.items) if item.id not in passed), None)

    @property
    def voted(self) -> int:
        """Items of this page on which the person's vote stands."""
        return sum(item.id in self._answered for item in self.items)

    @property
    def can_undo(self) -> bool:
        return bool(self._undoable)

    def lines(self, item: Item) -> tuple[str, str]:
        """The two lines in the order shown."""
        return (item.line_a, item.line_b) if self._a_first[item.id] else (item.line_b, item.line_a)

    def show(self) -> None:
        """Start the clock: the current item is on its way to the person."""
        self._shown_at = time.monotonic()

    def vote(self, press: Press) -> None:
        """Keep a vote on the current item, which must be there."""
        item = self._current()
        first, second = map(item.side, self.lines(item))
        choices: dict[Press, Choice] = {"first": first, "second": second, "tie": "tie"}
        vote = Vote(
            **as_columns(item),
            question=self.question,
            choice=choices[press],
            voter=self.voter,
            shown_first=first,
            seconds=round(time.monotonic() - self._shown_at, 2),
            voted_at=timestamp(datetime.now(UTC)),
        )
        self._vote_log.add(vote)
        self._answered.add(item.id)
        self._undoable.append((item, vote))

    def skip(self) -> None:
        """Leave the current item for later."""
        item = self._current()
        self.skipped.add(item.id)
        self._undoable.append((item, None))

    def undo(self) -> None:
        """Take the last vote or skip of this session back, if there is one; its item is the current one again."""
        if not self._undoable:
            return
        item, vote = self._undoable[-1]
        if vote:
            self._vote_log.withdraw(vote)
        self._undoable.pop()
        self._again = item
        self._answered.discard(item.id)
        self.skipped.discard(item.id)

    def unskip(self) -> None:
        """Bring the skipped items back."""
        self.skipped.clear()
        self._undoable = [(item, vote) for item, vote in self._undoable if vote]

    def _current(self) -> Item:
        item = self.current
        if item is None:
            raise ValueError("nothing is left to vote on")
        return item


def pseudonym(text: str) -> str | None:
    """The name that a person typed, tidied; None where it is empty, too long or an e-mail address."""
    name = normalise(text.encode("utf-8", "ignore").decode())
    return name if name and len(name) <= LONGEST_NAME and "@" not in name else None


def as_columns(item: Item) -> dict[str, Any]:
    """An item as the first columns of a vote."""
    columns = asdict(item)
    return {"item": columns.pop("id"), **columns}


def timestamp(moment: datetime) -> str:
    """A moment in UTC to the millisecond; such texts sort by time."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
