"""What the reference project published about its own adapters, shown beside ours: another judge, other pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml
from pydantic import TypeAdapter

from model_card.comparison.report import Judgement, Report
from pipelines.metrics import Metric


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

    def has(self, metric: Metric) -> bool:
        """Whether one of its systems was scored in a metric."""
        return any(metric.key in system.scores for system in self.systems)


def is_comparable(report: Report, judgement: Judgement) -> bool:
    """Whether the published scores stand beside a judgement, in tables and figures: beside one only, the first that
    has one of their metrics."""
    scoring = (one for one in report.judgements if any(published().has(metric) for metric in one.judge.metrics))
    return judgement is next(scoring, None)


@cache
def published() -> Published:
    """The content of `published.yaml`."""
    text = resources.files("model_card.cards").joinpath("published.yaml").read_text(encoding="utf-8")
    return TypeAdapter(Published).validate_python(yaml.safe_load(text))
