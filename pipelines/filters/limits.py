"""What the filters measure against: thresholds, and lines to compare with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from pipelines.slogans import slogan_lines
from pipelines.text.line_index import Lines


class FilterLimits(BaseModel):
    """The filters' thresholds, with their defaults: keys of a recipe's section `filter`, which adds to them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_chars: int = Field(4, description="characters of a line at least, white space included")
    max_chars: int = Field(60, description="characters of a line at most")
    min_pv: float = Field(0.5, ge=0, le=1, description="likelihood PV below this is rejected")
    min_naturalness: float = Field(0.3, ge=0, le=1, description="likelihood Naturalness below this is rejected")
    keep_per_pair: int = Field(1, ge=1, description="best synthesised lines kept per pair")
    trust_written: bool = Field(
        True, description="written rows skip the thresholds, never the rules; alone they are not even scored"
    )
    max_similarity: float = Field(
        0.6, gt=0, le=1, description="Jaccard index of character 3-grams from which lines are near-duplicates"
    )
    max_eval_similarity: float = Field(
        0.5, gt=0, le=1, description="the same between a line of the test split, or of eval_lines, and any other"
    )
    max_slogan_similarity: float = Field(0.6, gt=0, le=1, description="the same between a line and a real slogan")
    max_phrase_share: float = Field(
        0.005, gt=0, le=1, description="share of the lines that may have the same opening or ending"
    )
    max_phrase_count: int = Field(10, ge=1, description="lines that may have it in any case")


class Limits(FilterLimits):
    """All that the filters measure a row against. `Limits()` is what `hanjul filter --judge none` takes.

    Attributes:
        slogans: real slogans, which no line may resemble; by default those that ship with Hanjul.
        reserved: lines of somebody's evaluation, which no row may resemble.
        scored: rows have scores; without them the thresholds of scores do not apply and lines rank in their order.
    """

    slogans: Lines = Field(default_factory=slogan_lines)
    reserved: Lines = Lines()
    scored: bool = False
