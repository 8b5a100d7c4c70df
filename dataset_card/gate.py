"""What the card says of the gate for synthesised lines: who judged, how well, what it let in, and what readers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.filters.gate import is_synthesised, sense


@dataclass(frozen=True)
class GateFacts:
    """A judge of synthesised lines, and from which chance on it is believed.

    Attributes:
        judge: its name.
        auc: how well it tells usable lines of models from others, on graded lines that it was not fitted on: the value
            and the bounds of its 95 % interval.
        reliable: whether that is enough for anything to follow from its scores.
        threshold: P(usable) from which on it lets lines in; None where it lets none in.
        why: how the threshold was chosen, or why there is none, in English.
        precision: share of the lines let in that readers would call usable, as wanted.
    """

    judge: str
    auc: Sequence[float]
    reliable: bool
    threshold: float | None
    why: str
    precision: float


@dataclass(frozen=True)
class ReadingFacts:
    """What readers said of lines outside this release.

    Attributes:
        korean, english: who read.
        shares: kind of line (`written`, `flat`, `model`) -> lines that both readings call usable, and lines read.
    """

    korean: str
    english: str
    shares: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Expected:
    """What the judge expects of synthesised lines.

    Attributes:
        rows: lines that it scored.
        share: their mean P(usable), 0..1; 0 where there are none.
    """

    rows: int
    share: float


def expected(rows: Sequence[Mapping[str, Any]]) -> Expected:
    """Of the synthesised rows among these that have a score."""
    chances = [chance for row in rows if is_synthesised(row) and (chance := sense(row)) is not None]
    return Expected(len(chances), sum(chances) / len(chances) if chances else 0.0)
