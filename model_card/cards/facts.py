"""What a card is made of: frozen facts, no arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_card.comparison.report import Report
from pipelines.feedback.pairs import Tally


@dataclass(frozen=True)
class ReleaseFacts:
    """Filled by the recipe and the Hub.

    Attributes:
        repo_id: the adapter's repo.
        base_model, base_revision: repo id and commit sha of the base.
        dataset, dataset_revision: repo id and commit sha of the training data.
        licence: Hub identifier of the licence that the base's terms give the adapter, e.g. `gemma`, `apache-2.0`.
        encoder_decoder: the base reads with an encoder and writes with a decoder.
        start: repo id of the SFT adapter that preference tuning started from; None for an SFT adapter.
    """

    repo_id: str
    base_model: str
    base_revision: str
    dataset: str
    dataset_revision: str
    licence: str
    encoder_decoder: bool = False
    start: str | None = None


@dataclass(frozen=True)
class HeldOut:
    """Mean negative log-likelihood per completion token (nats) on the validation split.

    Attributes:
        base, adapter: before and after.
        start: of the SFT adapter that preference tuning started from.
    """

    base: float
    adapter: float
    tokens: int
    start: float | None = None


@dataclass(frozen=True)
class Preferences:
    """Share of held-out preference pairs whose chosen line the model finds likelier, before and after DPO."""

    start: float
    adapter: float
    pairs: int


@dataclass(frozen=True)
class TrainingFacts:
    """Filled by the trainer.

    Attributes:
        rows: training rows.
        settings: the recipe section as run.
        held_out: loss before and after; None where the dataset has no validation split.
        samples_per_second: training throughput.
        preferences: what DPO changed; None for SFT, and without held-out pairs.
        visitors: votes of visitors, and how many preferences that follow from them were learnt; None where none was.
    """

    rows: int
    settings: Mapping[str, Any]
    held_out: HeldOut | None
    samples_per_second: float
    preferences: Preferences | None = None
    visitors: Tally | None = None

    @staticmethod
    def of(
        rows: int, settings: Mapping[str, Any], curve: Mapping[str, Any], visitors: Tally | None = None
    ) -> TrainingFacts:
        """From a curve with `held_out`, `preferences` (attributes of their classes, or None) and the pace."""
        held_out, preferences = curve.get("held_out"), curve.get("preferences")
        return TrainingFacts(
            rows,
            settings,
            HeldOut(**held_out) if held_out else None,
            curve["samples_per_second"],
            Preferences(**preferences) if preferences else None,
            visitors,
        )


@dataclass(frozen=True)
class CardFacts:
    """An adapter's card: who made it from what, how it was trained, how it was judged (None: not yet)."""

    release: ReleaseFacts
    training: TrainingFacts
    evaluation: Report | None = None
