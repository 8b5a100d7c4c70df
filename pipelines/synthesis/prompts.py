"""The prompt of a pair: what a teacher is told, and which examples it is shown."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

from jinja2 import Template

from pipelines.errors import HanjulError
from pipelines.planning.taxonomy import Craft, load_craft
from pipelines.rows import PROMPT_FORMAT, Message, Row, split_of, user_message

TEMPLATE = Path(__file__).parent / "prompt.jinja"

#: Drawn beyond what is needed, so that those of the pair's own product can be left out.
SPARE = 8


@dataclass(frozen=True)
class PromptBuilder:
    """How prompts are made.

    Attributes:
        lines: lines asked for in one answer; 0 for a teacher that was tuned on our prompt and answers with one line.
        examples: lines shown to a teacher that is not tuned.
        pools: where they are drawn from, in turn: real slogans, rows of the dataset.
        seed: of the draw, together with the pair.
    """

    lines: int
    examples: int = 0
    pools: tuple[tuple[Row, ...], ...] = ()
    seed: int = 0
    craft: Craft = field(default_factory=load_craft)

    def prompt(self, pair: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
        """(messages, ids of the examples shown).

        Args:
            pair: row of config `pairs`, with `attempt` where it is not asked for the first time.
        """
        if not self.lines:
            return [user_message(pair["product"], pair["values"])], []
        shown = draw_examples(pair, self.pools, self.examples, self.seed)
        return build_prompt(pair, shown, self.craft, self.lines), [row["id"] for row in shown]

    def digests(self) -> dict[str, str]:
        """The sha256 of the prompt's text, by its name: what a tuned teacher reads, or the instructions."""
        prompt = (
            {"prompt.jinja": TEMPLATE.read_text(encoding="utf-8")} if self.lines else {"PROMPT_FORMAT": PROMPT_FORMAT}
        )
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in prompt.items()}


def build_prompt(pair: Mapping[str, Any], rows: Sequence[Row], craft: Craft, lines: int) -> list[Message]:
    """Instructions as a creative director gives them, with the examples, and the pair."""
    instructions = _template().render(
        device=craft.devices.get(pair["device"]), tone=craft.tones.get(pair["tone"]), examples=rows, lines=lines
    )
    return [{"role": "system", "content": instructions}, user_message(pair["product"], pair["values"])]


def usable_examples(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that people wrote, of the train split: what is held out stays unseen."""
    return tuple(row for row in rows if row["source"] != "synthesised" and split_of(row["product"]) == "train")


def draw_examples(pair: Mapping[str, Any], pools: Sequence[Sequence[Row]], count: int, seed: int) -> list[Row]:
    """So many rows of other products, drawn from the pools in turn.

    Raises:
        HanjulError: there are fewer.
    """
    draw = random.Random(f"{seed} {pair['id']} {pair.get('attempt', 0)}")
    drawn = [iter(_drawn(draw, pool, pair, count)) for pool in pools if pool]
    rows: list[Row] = []
    empty = 0
    for pool in cycle(drawn):
        if len(rows) == count or empty == len(drawn):
            break
        row = next(pool, None)
        empty = 0 if row else empty + 1
        rows += [row] if row else []
    if len(rows) < count:
        raise HanjulError(
            f"{count} examples asked for, {len(rows)} of other train products are there to draw them from",
            next_step="lower `synthesize.examples`, import more rows or name a file with `--examples`",
        )
    return rows


def _drawn(draw: random.Random, pool: Sequence[Row], pair: Mapping[str, Any], count: int) -> list[Row]:
    """At least so many rows of other products, if there are; the pool is not gone through where a few suffice."""
    some = _others(draw.sample(pool, min(len(pool), count + SPARE)), pair)
    if len(some) >= count or len(pool) <= count + SPARE:
        return some
    others = _others(pool, pair)
    return draw.sample(others, min(len(others), count))


def _others(rows: Sequence[Row], pair: Mapping[str, Any]) -> list[Row]:
    return [row for row in rows if row["product"] != pair["product"]]


@cache
def _template() -> Template:
    template: Template = Template(TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True)
    return template
