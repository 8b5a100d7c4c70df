"""What the filters measure against."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.text.line_index import Lines


@dataclass(frozen=True)
class Limits:
    """Thresholds of one run; the defaults live in the recipe's settings.

    Attributes:
        min_chars, max_chars: length of a line in characters, white space included, both ends allowed.
        min_pv, min_naturalness: calibrated scores, 0..1; below is rejected.
        keep_per_pair: best synthesised lines kept of each product–values pair.
        trust_written: rows with source `written` skip the thresholds, never the rules.
        max_similarity: Jaccard of character 3-grams, 0..1, from which two lines are near-duplicates.
        max_eval_similarity: the same between a line of the test split, or a reserved line, and any other.
        max_slogan_similarity: the same between a line and a real slogan.
        max_phrase_share, max_phrase_count: an opening or an ending may stand in so large a share of the lines, and in
            so many in any case.
        slogans: real slogans.
        reserved: lines of somebody's evaluation, which no row may resemble.
        scored: rows have scores; without them the thresholds do not apply and lines rank in their order.
    """

    min_chars: int
    max_chars: int
    min_pv: float
    min_naturalness: float
    keep_per_pair: int
    trust_written: bool
    max_similarity: float
    max_eval_similarity: float
    max_slogan_similarity: float
    max_phrase_share: float
    max_phrase_count: int
    slogans: Lines = field(default_factory=Lines)
    reserved: Lines = field(default_factory=Lines)
    scored: bool = True
