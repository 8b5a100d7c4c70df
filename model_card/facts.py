"""What a report and a card are made of: frozen facts, JSON in and out, no arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

#: Metrics in the order they are shown, with their Korean and English names.
METRICS: dict[str, tuple[str, str]] = {
    "pv": ("상품·가치 반영", "PV"),
    "naturalness": ("자연스러움", "Naturalness"),
    "creativity": ("창의성", "Creativity"),
}

#: A metric that tells good lines from any kind of spoilt one with less than this AUC is named unreliable.
FLOOR = 0.75


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How far one metric of one judge can be trusted, and how its raw score becomes 0..1.

    Attributes:
        slope, intercept: score = 1 / (1 + exp(-(slope * raw + intercept))).
        auc: chance that a good line outscores a bad one of the contrast set.
        auc_low, auc_high: its 95 % bootstrap interval.
        paired: chance that a good line outscores the bad one made from it; a tie counts half.
        parts: `auc` for each kind of bad line alone.
        n: good lines in the contrast set.
        reliable: whether every one of `parts` reaches `FLOOR`.
    """

    slope: float
    intercept: float
    auc: float
    auc_low: float
    auc_high: float
    paired: float
    parts: dict[str, float]
    n: int
    reliable: bool


@dataclass(frozen=True)
class Line:
    """One generated line with its scores (0..1, by metric).

    Attributes:
        leak: product or value stands verbatim in the line.
        broken: empty, more than one line, or without Hangul. A broken line scores 0 in every metric.
    """

    prompt: str
    product: str
    values: tuple[str, ...]
    line: str
    scores: dict[str, float]
    leak: bool
    broken: bool


@dataclass(frozen=True)
class System:
    """One model, or one way of asking it, on the report's pairs.

    Attributes:
        name: what tables and figures call it, e.g. `base, 8 examples`.
        model, revision: repo id and commit sha of what was asked.
        means: metric -> mean over lines.
        sds: metric -> sample standard deviation over lines.
        leak_rate, broken_rate: shares of lines, 0..1.
        distinct_2: distinct character bigrams / all character bigrams of the lines, 0..1.
        length: mean characters a line.
    """

    name: str
    model: str
    revision: str
    means: dict[str, Interval]
    sds: dict[str, float]
    leak_rate: float
    broken_rate: float
    distinct_2: float
    length: float
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Difference:
    """`system` minus `reference` on the same pairs, metric by metric."""

    system: str
    reference: str
    means: dict[str, Interval]


@dataclass(frozen=True)
class Report:
    """Several systems on the same pairs of one dataset, judged by one judge.

    Attributes:
        judge: what judged, e.g. `google/gemma-3-270m@<sha>, likelihood`.
        dataset, dataset_revision, dataset_split: where the pairs come from; id, commit sha, split.
        pairs: number of product–value pairs.
        systems: the first is the reference that `differences` compare with.
        calibration: metric -> the judge's calibration.
    """

    judge: str
    dataset: str
    dataset_revision: str
    dataset_split: str
    pairs: int
    bootstrap: int
    seed: int
    systems: tuple[System, ...]
    differences: tuple[Difference, ...]
    calibration: dict[str, Calibration]

    def to_json(self) -> str:
        """The text of `evaluation/report.json`."""
        return TypeAdapter(Report).dump_json(self, indent=1, ensure_ascii=False).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> Report:
        """A report from the text that `to_json` wrote; pydantic.ValidationError (a ValueError) on anything else."""
        return TypeAdapter(Report).validate_json(text)


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
    """

    rows: int
    settings: Mapping[str, Any]
    held_out: HeldOut | None
    samples_per_second: float
    preferences: Preferences | None = None

    @staticmethod
    def of(rows: int, settings: Mapping[str, Any], curve: Mapping[str, Any]) -> TrainingFacts:
        """From a curve with `held_out`, `preferences` (attributes of their classes, or None) and the pace."""
        held_out, preferences = curve.get("held_out"), curve.get("preferences")
        return TrainingFacts(
            rows,
            settings,
            HeldOut(**held_out) if held_out else None,
            curve["samples_per_second"],
            Preferences(**preferences) if preferences else None,
        )


@dataclass(frozen=True)
class CardFacts:
    """An adapter's card: who made it from what, how it was trained, how it was judged (None: not yet)."""

    release: ReleaseFacts
    training: TrainingFacts
    evaluation: Report | None = None
