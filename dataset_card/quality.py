"""Numbers that describe a set of rows, before or after filtering."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np

from dataset_card import diversity
from dataset_card.diversity import NEAR_SAMPLE, SAMPLE, Diversity
from pipelines.filters.limits import Limits
from pipelines.filters.rules import leak
from pipelines.metrics import METRICS
from pipelines.planning.taxonomy import load_craft, load_taxonomy
from pipelines.text.tidy import QUOTES

#: Bins of a distribution of scores, each 0.05 wide.
BINS = 20
#: What the filter `leak` finds in a line: the product, a part of its name, a value, or the stem of a value.
LEAKS = ("product", "part", "value", "stem")

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Lengths:
    """Characters of a line, white space included: mean and percentiles, which are lengths that occur."""

    mean: float
    p5: int
    p50: int
    p95: int


@dataclass(frozen=True)
class Score:
    """A judge's scores, 0..1: how many rows have one, in all and in each of `BINS`, their mean, and its 95 % interval.

    The interval is the normal one, mean ± 1.96 standard errors, within 0..1. Lines of one pair are not independent, so
    it is a little narrow.
    """

    rows: int
    mean: float
    low: float
    high: float
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Quality:
    """What `measure` found. Of all rows, but for `leaks` and `diversity`, which are of a sample.

    Attributes:
        rows, products, values: how many, the last two distinct.
        categories, devices: rows by category of the taxonomy and by rhetorical device of `craft.yaml`, those without
            rows included, in their order; other names do not count.
        category_coverage: Shannon entropy of the rows over the categories, divided by that of an even spread over all
            of them (64 as shipped), whether they occur or not; 0..1. None where no row has one.
        device_coverage: the same over the devices (15 as shipped).
        lengths: of the lines.
        product_verbatim, value_verbatim: share of rows whose line has the product, or a value, letter by letter.
        stray_quotes: share of rows whose line begins or ends with a quotation mark.
        leaks: share of rows in which the filter `leak` finds each of `LEAKS`; a line that says several counts for the
            first.
        diversity: how varied the lines are.
        scores: metric -> scores of the rows that have one; metrics that no row has are left out.
    """

    rows: int
    products: int
    values: int
    categories: Mapping[str, int]
    devices: Mapping[str, int]
    category_coverage: float | None
    device_coverage: float | None
    lengths: Lengths
    product_verbatim: float
    value_verbatim: float
    stray_quotes: float
    leaks: Mapping[str, float]
    diversity: Diversity
    scores: Mapping[str, Score]


def measure(rows: Rows, limits: Limits, *, lines: int, seed: int) -> Quality:
    """The quality of rows of config `raw` or later.

    Args:
        lines: rows of the smallest of the sets that are to be compared: no sample is larger, so that each set gives
            one of the same size.
        seed: of the sample, which does not depend on the order of the rows.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError("there are no rows to measure")
    sample = _sample(rows, min(lines, NEAR_SAMPLE), seed)
    categories = _counts(rows, "category", [category.name for category in load_taxonomy()])
    devices = _counts(rows, "device", load_craft().devices)
    return Quality(
        rows=len(rows),
        products=len({row["product"] for row in rows}),
        values=len({value for row in rows for value in row["values"]}),
        categories=categories,
        devices=devices,
        category_coverage=coverage(categories),
        device_coverage=coverage(devices),
        lengths=_lengths(rows),
        product_verbatim=_share(bool(row["product"]) and row["product"] in row["ad_copy"] for row in rows),
        value_verbatim=_share(any(value and value in row["ad_copy"] for value in row["values"]) for row in rows),
        stray_quotes=_share(_quoted(row["ad_copy"]) for row in rows),
        leaks=_leaks(sample[:SAMPLE], limits),
        diversity=diversity.measure([row["ad_copy"] for row in sample], limits.max_similarity),
        scores={name: score for name in METRICS if (score := _score(rows, name))},
    )


def coverage(counts: Mapping[str, int]) -> float | None:
    """Shannon entropy of counts over that of an even spread over all their names, zeros included; None without any."""
    total = sum(counts.values())
    if not total or len(counts) < 2:
        return None
    return sum(count / total * log(total / count) for count in counts.values() if count) / log(len(counts))


def _sample(rows: Rows, size: int, seed: int) -> Rows:
    return random.Random(seed).sample(sorted(rows, key=lambda row: (row["id"], row["ad_copy"])), size)


def _counts(rows: Rows, column: str, names: Iterable[str]) -> dict[str, int]:
    counts = Counter(row[column] for row in rows)
    return {name: counts[name] for name in names}


def _lengths(rows: Rows) -> Lengths:
    lengths = np.array([len(row["ad_copy"]) for row in rows])
    p5, p50, p95 = np.percentile(lengths, (5, 50, 95), method="inverted_cdf")
    return Lengths(float(lengths.mean()), int(p5), int(p50), int(p95))


def _quoted(line: str) -> bool:
    return line.startswith(tuple(QUOTES)) or line.endswith(tuple(QUOTES))


def _leaks(rows: Rows, limits: Limits) -> dict[str, float]:
    """A row without product or value, which the filter `format` rejects, has nothing to leak."""
    whole = [row for row in rows if row["product"] and row["values"] and all(row["values"])]
    found = Counter(evidence.split()[0] for row in whole if (evidence := leak.check(row, limits)))
    return {name: found[name] / len(rows) for name in LEAKS}


def _score(rows: Rows, name: str) -> Score | None:
    scored = [row["scores"].get(name) for row in rows if row.get("scores")]  # older rows lack a newer metric
    found = [score for score in scored if score is not None]
    if not found:
        return None
    scores = np.array(found, float)
    mean, spread = float(scores.mean()), float(scores.std(ddof=1)) if len(found) > 1 else 0.0
    margin = 1.96 * spread / sqrt(len(found))
    bins = np.bincount(np.minimum((scores * BINS).astype(int), BINS - 1), minlength=BINS)
    return Score(len(found), mean, max(mean - margin, 0.0), min(mean + margin, 1.0), tuple(bins.tolist()))


def _share(found: Iterable[bool]) -> float:
    answers = list(found)
    return sum(answers) / len(answers)
