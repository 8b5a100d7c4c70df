"""What the filters measure against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Thresholds of one run; the defaults live in the recipe's settings.

    Attributes:
        min_chars, max_chars: length of a line in characters, white space included, both ends allowed.
        min_pv, min_naturalness: calibrated scores, 0..1; below is rejected.
        keep_per_pair: best synthesised lines kept of each product–values pair.
        scored: rows have scores; without them the thresholds do not apply and lines rank in their order.
        trust_written: rows with source `written` skip the thresholds, never the rules.
    """

    min_chars: int
    max_chars: int
    min_pv: float
    min_naturalness: float
    keep_per_pair: int
    trust_written: bool
    scored: bool = True
