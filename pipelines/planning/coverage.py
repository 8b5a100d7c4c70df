"""How much of the world planned pairs reach, and how evenly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from pipelines.planning.taxonomy import KINDS, Category


@dataclass(frozen=True)
class Coverage:
    """What `coverage` found. Entropies are Shannon's, normalised (Pielou's evenness).

    Each is divided by that of an even spread over the names there are (categories of the taxonomy, the five kinds) or,
    for devices and tones, that occur: 1 is even, 0 is all on one.

    Attributes:
        pairs, products, values, categories: how many, the last three distinct.
        category_entropy: of the pairs over the categories of the taxonomy.
        kind_entropy: of the values over the kinds of consumption value.
        device_entropy, tone_entropy: of the pairs over the devices and tones asked for.
    """

    pairs: int
    products: int
    values: int
    categories: int
    category_entropy: float
    kind_entropy: float
    device_entropy: float
    tone_entropy: float


def coverage(pairs: Sequence[Mapping[str, Any]], taxonomy: Iterable[Category]) -> Coverage:
    """The coverage of planned pairs; zeros where there are none.

    Args:
        pairs: rows of config `pairs`.
        taxonomy: where they were planned from; it knows the kind of a value.
    """
    nodes = {category.name: category for category in taxonomy}
    categories = Counter(pair["category"] for pair in pairs)
    kinds: Counter[str] = Counter()
    for pair in pairs:
        values_of_kinds = nodes[pair["category"]].values_of(pair["product"])
        kinds.update(kind for kind, values in values_of_kinds.items() for value in values if value in pair["values"])
    devices, tones = (Counter(pair[column] for pair in pairs) for column in ("device", "tone"))
    return Coverage(
        pairs=len(pairs),
        products=len({pair["product"] for pair in pairs}),
        values=len({value for pair in pairs for value in pair["values"]}),
        categories=len(categories),
        category_entropy=evenness(categories, len(nodes)),
        kind_entropy=evenness(kinds, len(KINDS)),
        device_entropy=evenness(devices, len(devices)),
        tone_entropy=evenness(tones, len(tones)),
    )


def evenness(counts: Mapping[str, int], names: int) -> float:
    """Shannon entropy of counts over that of an even spread over so many names, 0..1, four digits."""
    total = sum(counts.values())
    if not total or names < 2:
        return 0.0
    entropy = sum(count / total * log(total / count) for count in counts.values())
    return round(entropy / log(names), 4)
