"""What is known of a judge: how it scores, how far it can be trusted, and what it says of one line. Frozen facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from model_card.statistics import Interval
from pipelines.metrics import METRICS, Metric

#: A metric that tells good lines from perturbed ones with less than this AUC is named unreliable; likewise a judge that
#: compares two lines, by its share of right answers.
FLOOR = 0.75
#: Mean scores nearer than this are a tie.
TIE = 0.02

#: How a judge comes to its scores: a language model's own probabilities, or an LLM that reads a rubric.
Family = Literal["likelihood", "geval"]
#: What a score is: of the likelihood; the mean of the distribution over score tokens; the mean of sampled answers.
Scoring = Literal["likelihood", "probabilities", "samples"]


@dataclass(frozen=True)
class KindAccuracy:
    """How well good lines are told from perturbed ones of one kind.

    Attributes:
        auc: chance that a good line outscores a perturbed one of this kind.
        paired: chance that a good line outscores the one made from it; a tie counts half.
        n: perturbed lines.
    """

    auc: float
    paired: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """How far one metric of one judge can be trusted, and how its raw score becomes 0..1.

    Attributes:
        slope, intercept: score = 1 / (1 + exp(-(slope * raw + intercept))).
        auc: mean over `kinds` of their AUC, with its bootstrap interval.
        paired: mean over `kinds` of their paired accuracy, with its bootstrap interval.
        kinds: kind of perturbed line (`contrast_kinds`) -> how well this kind is told.
        n: good and perturbed lines together.
        reliable: whether `auc` reaches `FLOOR`.
    """

    slope: float
    intercept: float
    auc: Interval
    paired: Interval
    kinds: dict[str, KindAccuracy]
    n: int
    reliable: bool


@dataclass(frozen=True)
class People:
    """A judge beside people who voted on the same two lines for one pair.

    Attributes:
        people: who voted.
        votes: votes in all.
        items: pairs of lines on which people have a majority for one line and the judge was asked.
        alpha: Krippendorff's alpha among people, with its bootstrap interval over items; None for one person.
        agreement: share of `items` where the judge prefers the line of the majority, a tie counts half.
    """

    people: int
    votes: int
    items: int
    alpha: Interval | None
    agreement: Interval


@dataclass(frozen=True)
class JudgeFacts:
    """Who judged, how, and how far to trust it.

    Attributes:
        name: what tables call it, with its revision: `google/gemma-3-270m@<7 digits>`, `gpt-4o at api.openai.com`.
        family, scoring: how it comes to its scores.
        samples: answers behind one score; 1 but for `samples`.
        calibration: metric that it scores -> how far to trust it, in the order of `METRICS`.
        duels: share of the contrasts in which it prefers the good line, shown both in both orders, where a judge that
            contradicts itself is half right; None for a judge that scores lines one by one.
        contradictions: share of contrasts in which the order decided; None likewise.
        people: beside people's votes, None where there are none.
    """

    name: str
    family: Family
    scoring: Scoring
    samples: int
    calibration: dict[str, Calibration]
    duels: Interval | None = None
    contradictions: float | None = None
    people: People | None = None

    @property
    def metrics(self) -> list[Metric]:
        """What it scores; a judge may have no form of a metric."""
        return [metric for key, metric in METRICS.items() if key in self.calibration]

    @property
    def trusted(self) -> list[str]:
        """The metrics that it can be trusted with; all that it scores where there is none."""
        return [key for key, calibration in self.calibration.items() if calibration.reliable] or list(self.calibration)


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one line: metric -> score (0..1) and metric -> reason (Korean)."""

    scores: dict[str, float]
    reasons: dict[str, str]


def is_reliable(accuracy: float) -> bool:
    """Whether an AUC, or a share of right answers, reaches `FLOOR`."""
    return accuracy >= FLOOR


def preference(lead: float, tie: float = TIE) -> float:
    """What a line gets that leads another by so much: 1, 0.5 for a tie, 0."""
    return 0.5 if abs(lead) < tie else float(lead > 0)
