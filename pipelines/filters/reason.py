"""What a rejection reason is called and what it means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a row is rejected, in words for the dataset card.

    Attributes:
        key: stands in the column `reason`.
        name: Korean, short enough for a bar of a chart.
        korean, english: a sentence each.
    """

    key: str
    name: str
    korean: str
    english: str
