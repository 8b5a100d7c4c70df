"""What is known of a judge: how it scores, how far it can be trusted, and what it says of one line. Frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from model_card.judging.contrast_kinds import MODEL_MADE
from model_card.statistics import Interval
from pipelines.metrics import METRICS, Metric

#: A metric that tells good lines from bad ones with less than this AUC is named unreliable, be it on all kinds or on
#: lines that models write; likewise a judge that compares two lines, by its share of right answers.
FLOOR = 0.75
#: Under so many good or bad lines of a kind, or comparisons, the lower end of the interval has to reach `FLOOR`: of few
#: lines chance alone sorts many rightly.
FEW = 20
#: Mean scores nearer than this are a tie.
TIE = 0.02

#: How a judge comes to its scores: a language model's own probabilities, an LLM that reads a rubric, or a classifier
#: fitted on graded lines (`graded`).
Family = Literal["likelihood", "geval", "classifier"]
#: What a score is: of the likelihood; the mean of the distribution over score tokens; the mean of sampled answers; the
#: classifier's probability that a line is usable.
Scoring = Literal["likelihood", "probabilities", "samples", "classifier"]


@dataclass(frozen=True)
class KindAccuracy:
    """How well good lines are told from bad ones of one kind.

    Attributes:
        auc: chance that a good line outscores a bad one of this kind, each line counted once.
        paired: chance that a good line outscores the one that stands beside it; a tie counts half.
        n: bad lines.
    """

    auc: float
    paired: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """How far one metric of one judge can be trusted, and how its raw score becomes 0..1.

    Attributes:
        slope, intercept: score = 1 / (1 + exp(-(slope * raw + intercept))); 1 and 0 where raw scores are log-odds.
        auc: mean over `kinds` of their AUC, with its bootstrap interval.
        paired: mean over `kinds` of their paired accuracy, with its bootstrap interval.
        kinds: kind of bad line (`contrast_kinds`) -> how well this kind is told.
        n: good and bad lines together.
        reliable: whether `auc` reaches `FLOOR` (of `FEW` lines, its lower end) and, where lines by models are among
            `kinds`, theirs does, too; never of a metric that says the same of every line.
    """

    slope: float
    intercept: float
    auc: Interval
    paired: Interval
    kinds: dict[str, KindAccuracy]
    n: int
    reliable: bool

    @property
    def fails_on_models(self) -> bool:
        """Whether it is unreliable on lines that models write, however well it tells the other kinds."""
        return fails_on_models(self.kinds)

    @property
    def too_few(self) -> bool:
        """Whether it is unreliable for no other reason than that it was tried on few lines."""
        return not (self.reliable or self.is_flat or self.fails_on_models) and is_reliable(self.auc.value)

    @property
    def is_flat(self) -> bool:
        """Whether it could not be fitted: good lines score no higher than bad ones, so every line is given 0.5."""
        return self.slope == 0


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
        compared_contrasts: how many of them it compared, drawn by seed; None likewise, and where it was not counted.
        people: beside people's votes, None where there are none.
    """

    name: str
    family: Family
    scoring: Scoring
    samples: int
    calibration: dict[str, Calibration]
    duels: Interval | None = None
    contradictions: float | None = None
    compared_contrasts: int | None = None
    people: People | None = None

    @property
    def metrics(self) -> list[Metric]:
        """What it scores; a judge may have no form of a metric."""
        return [metric for key, metric in METRICS.items() if key in self.calibration]

    @property
    def trusted(self) -> list[str]:
        """The metrics that it can be trusted with; there may be none."""
        return [key for key, calibration in self.calibration.items() if calibration.reliable]

    @property
    def compared(self) -> list[str]:
        """The metrics by which it compares lines: those it can be trusted with, all that it scores where there is none.

        What follows from the latter is marked as unreliable wherever it is shown: see `compares_reliably`.
        """
        return self.trusted or list(self.calibration)

    @property
    def compares_reliably(self) -> bool:
        """Whether its word on two lines can be trusted: it scores reliably, and compares so, if it compares at all."""
        return bool(self.trusted) and self.wins_reliably

    @property
    def wins_reliably(self) -> bool:
        """Whether it prefers the good line often enough, shown both; True where it is shown no two lines."""
        return self.duels is None or is_reliable(self.duels, self.compared_contrasts)

    @property
    def reliability(self) -> float:
        """Share of what it says that can be trusted, 0..1: of its metrics and, where it compares, of its comparing.

        0 for a judge that has no metric to be trusted with: what it says leads nothing.
        """
        compares = [] if self.duels is None else [self.compares_reliably]
        return fmean([*(found.reliable for found in self.calibration.values()), *compares])


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one line: metric -> score (0..1) and metric -> reason (Korean)."""

    scores: dict[str, float]
    reasons: dict[str, str]


def is_reliable(accuracy: Interval | float, n: int | None = None) -> bool:
    """Whether an AUC, or a share of right answers, reaches `FLOOR`; of few, the lower end of its interval.

    Args:
        n: how many it was found with; None where these are known to be enough.
    """
    if isinstance(accuracy, Interval):
        accuracy = accuracy.low if n is not None and n < FEW else accuracy.value
    return accuracy >= FLOOR


def fails_on_models(kinds: Mapping[str, KindAccuracy]) -> bool:
    """Whether lines that models write are told from usable ones with less than `FLOOR`."""
    return MODEL_MADE in kinds and not is_reliable(kinds[MODEL_MADE].auc)


def preference(lead: float, tie: float = TIE) -> float:
    """What a line gets that leads another by so much: 1, 0.5 for a tie, 0."""
    return 0.5 if abs(lead) < tie else float(lead > 0)
