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
    max_product_chars: int = Field(60, ge=1, description="characters of a product at most")
    max_value_chars: int = Field(60, ge=1, description="characters of a value at most")
    max_values: int = Field(10, ge=1, description="values of a row at most")
    min_precision: float = Field(
        0.8, gt=0, le=1, description="share of the synthesised lines let in that readers would call usable"
    )
    keep_per_pair: int = Field(1, ge=1, description="best synthesised lines kept per pair")
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
        gated: a judge decides over synthesised rows, which have the score `sense`; else lines rank in their order.
        min_sense: P(usable) from which on it lets them in; None where no threshold is precise enough, or the judge is
            unreliable: then it lets none in.
    """

    slogans: Lines = Field(default_factory=slogan_lines)
    reserved: Lines = Lines()
    gated: bool = False
    min_sense: float | None = None
