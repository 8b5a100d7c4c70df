"""What the reference project published about its own adapters, shown beside ours: another judge, other pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml
from pydantic import TypeAdapter


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over lines, 0..1."""

    mean: float
    sd: float


@dataclass(frozen=True)
class PublishedSystem:
    """An adapter by its base model (`model`, a repo id): metric -> its scores, of those metrics that were published."""

    model: str
    parameters: str
    scores: dict[str, Spread]


@dataclass(frozen=True)
class Published:
    """One evaluation by other people.

    Attributes:
        name: who published it.
        judge: what judged there.
        pairs: product–value pairs there.
    """

    name: str
    judge: str
    pairs: int
    systems: tuple[PublishedSystem, ...]


@cache
def published() -> Published:
    """The content of `published.yaml`."""
    text = resources.files("model_card.cards").joinpath("published.yaml").read_text(encoding="utf-8")
    return TypeAdapter(Published).validate_python(yaml.safe_load(text))
