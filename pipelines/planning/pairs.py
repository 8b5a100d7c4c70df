"""Plans product–values pairs for a teacher to write on, as a distilabel pipeline."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep
from distilabel.typing import GeneratorStepOutput, StepColumns
from pydantic import Field

from pipelines.errors import HanjulError
from pipelines.execution.local_pipeline import StrictPipeline
from pipelines.planning.decks import Deck, decks_of
from pipelines.planning.taxonomy import Category, Craft
from pipelines.rows import row_id, split_of

COLUMNS = ["id", "product", "category", "values", "device", "tone"]
#: Rows of one batch: planning is cheap, so batches are as large as the readers downstream like them.
BATCH = 500


def plan_pairs(
    categories: Sequence[Category], craft: Craft, n: int, *, values_max: int, seed: int, written: Collection[str] = ()
) -> list[dict[str, Any]]:
    """N pairs of products of the train split, different from each other, the same for the same seed.

    Categories take turns; within one, products that have no written row come first and a product comes again only after
    all others. Each pair has 1..values_max values of different kinds, one device and one tone; numbers and kinds of
    values, devices and tones are evenly used.

    Args:
        values_max: values of a pair at most, 1..5.
        written: products that have rows already.

    Returns:
        Rows with the columns id (16 hex), product, category, values, device, tone.

    Raises:
        HanjulError: n is larger than the number of different pairs.
    """
    possible = count_pairs(categories, values_max)
    if not 1 <= n <= possible:
        raise HanjulError(
            f"{n} pairs asked for, the taxonomy has {possible} different ones with up to {values_max} values"
            " for products of the train split",
            next_step="lower `pairs.n`, raise `pairs.values_max` or add products to the taxonomy",
        )
    draw = random.Random(seed)
    orders = [_turns(category, values_max, written, draw) for category in draw.sample(categories, len(categories))]
    used: Counter[Any] = Counter()
    devices, tones = (cycle(draw.sample(list(names), len(names))) for names in (craft.devices, craft.tones))
    return [
        {
            "id": row_id(name, values, ""),
            "product": name,
            "category": category.name,
            "values": values,
            "device": device,
            "tone": tone,
        }
        for (category, name, left), device, tone in zip(islice(_round_robin(orders), n), devices, tones, strict=False)
        for values in [_take(left, used, draw)]
    ]


def count_pairs(categories: Sequence[Category], values_max: int) -> int:
    """How many pairs can be planned: for each product every set of 1..values_max values of different kinds."""
    return sum(
        deck.left
        for category in categories
        for name in _products(category)
        for deck in decks_of(category.values_of(name), values_max)
    )


def _products(category: Category) -> list[str]:
    """Those of the train split: validation and test hold no line that a model wrote."""
    return [name for name in category.products if split_of(name) == "train"]


Turn = tuple[Category, str, list[Deck]]


def _turns(category: Category, values_max: int, written: Collection[str], draw: random.Random) -> Iterator[Turn]:
    """The products of a category in turn, unwritten first, each as long as it has value sets left."""
    products = _products(category)
    shuffled = draw.sample(products, len(products))
    waiting = sorted(shuffled, key=lambda name: name in written)
    left: dict[str, list[Deck]] = {}
    while waiting:
        for name in waiting:
            if name not in left:
                decks = decks_of(category.values_of(name), values_max)
                left[name] = draw.sample(decks, len(decks))
            if left[name]:
                yield category, name, left[name]
        waiting = [name for name in waiting if left[name]]


def _round_robin(orders: Sequence[Iterator[Turn]]) -> Iterator[Turn]:
    waiting = list(orders)
    while waiting:
        for order in list(waiting):
            turn = next(order, None)
            if turn is None:
                waiting.remove(order)
            else:
                yield turn


def _take(decks: list[Deck], used: Counter[Any], draw: random.Random) -> list[str]:
    """Draw from the deck whose number of values and whose kinds have been used least so far; empty ones go."""
    deck = min(
        decks, key=lambda deck: (used[len(deck.kinds)], sum(used[kind] for kind in deck.kinds) / len(deck.kinds))
    )
    used.update([len(deck.kinds), *deck.kinds])
    values = deck.draw(draw)
    if not deck.left:
        decks.remove(deck)
    return values


class PlanPairs(GeneratorStep):  # type: ignore[misc]
    """Yields planned product–values pairs.

    Attributes:
        pairs: what `plan_pairs` returned.

    Output columns:
        - id (`str`): hash of product and values, 16 hex digits.
        - product (`str`): what is advertised.
        - category (`str`): its node of the taxonomy.
        - values (`list[str]`): what the line must convey.
        - device (`str`): name of the rhetorical device asked for.
        - tone (`str`): name of the tone asked for.

    Categories:
        - planning

    Examples:
        >>> next(step.process())
        ([{'id': '9c5a…', 'product': '드립백 커피', 'category': '커피', 'values': ['여유'],
           'device': 'contrast', 'tone': 'calm'}], True)
    """

    pairs: list[dict[str, Any]] = Field(default_factory=list, exclude=True)

    @property
    def outputs(self) -> StepColumns:
        return COLUMNS

    def process(self, offset: int = 0) -> GeneratorStepOutput:
        """Batches of pairs from `offset` on, and whether a batch is the last."""
        for start in range(offset, len(self.pairs), self.batch_size):
            yield self.pairs[start : start + self.batch_size], start + self.batch_size >= len(self.pairs)


def build_pairs_pipeline(pairs: list[dict[str, Any]], *, cache_dir: Path) -> Pipeline:
    """A pipeline that yields planned pairs. Run it with `pipelines.execution.running.run`.

    Args:
        pairs: what `plan_pairs` returned.
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
    """
    with StrictPipeline("hanjul-pairs", cache_dir=cache_dir) as pipeline:
        PlanPairs(name="plan_pairs", pairs=pairs, batch_size=BATCH)
    return pipeline
