"""Numbers that describe a set of rows without a judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from pipelines.filters import leak, morphemes
from pipelines.filters.limits import Limits


@dataclass(frozen=True)
class Quality:
    """What `measure` found.

    Attributes:
        rows, products, values, categories: how many, the last three distinct.
        mean_chars: characters of a line, white space included.
        distinct_1, distinct_2: distinct morphemes and pairs of morphemes over all of them, 0..1 (Li et al. 2016,
            "A Diversity-Promoting Objective Function for Neural Conversation Models").
        device_entropy: Shannon entropy of the rhetorical devices asked for, in bits; 0 where none were.
        devices: how many different devices there are.
        leak_rate: share of lines that say their product or value, by the filter `leak`.
    """

    rows: int
    products: int
    values: int
    categories: int
    mean_chars: float
    distinct_1: float
    distinct_2: float
    device_entropy: float
    devices: int
    leak_rate: float


def measure(rows: Sequence[Mapping[str, Any]], limits: Limits) -> Quality:
    """The quality of rows of config `raw`; zeros where there are none."""
    lines = [[form for form, _, _ in morphemes.tokens(row["ad_copy"])] for row in rows]
    devices = Counter(row["device"] for row in rows if row["device"])
    return Quality(
        rows=len(rows),
        products=len({row["product"] for row in rows}),
        values=len({value for row in rows for value in row["values"]}),
        categories=len({row["category"] for row in rows if row["category"]}),
        mean_chars=_mean(len(row["ad_copy"]) for row in rows),
        distinct_1=_distinct(lines, 1),
        distinct_2=_distinct(lines, 2),
        device_entropy=_entropy(devices),
        devices=len(devices),
        leak_rate=_mean(leak.check(row, limits) is not None for row in rows),
    )


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found) if found else 0.0


def _distinct(lines: Iterable[Sequence[str]], size: int) -> float:
    grams = [tuple(line[start : start + size]) for line in lines for start in range(len(line) - size + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _entropy(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    return sum(count / total * log2(total / count) for count in counts.values())
