"""What an evaluation says: frozen facts, JSON in and out, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

#: Metrics in the order they are shown, with their Korean and English names.
METRICS: dict[str, tuple[str, str]] = {
    "pv": ("상품·가치 반영", "PV"),
    "naturalness": ("자연스러움", "Naturalness"),
    "creativity": ("창의성", "Creativity"),
}

#: A metric that tells good lines from spoilt ones with less than this AUC is named unreliable; likewise a judge that
#: compares two lines, by its share of right answers.
FLOOR = 0.75

#: How a judge comes to its scores: a language model's own probabilities, or an LLM that reads a rubric.
Family = Literal["likelihood", "geval"]
#: What a score is: of the likelihood; the mean of the distribution over score tokens; the mean of sampled answers.
Scoring = Literal["likelihood", "probabilities", "samples"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Kind:
    """How well good lines are told from bad ones of one kind.

    Attributes:
        auc: chance that a good line outscores a bad one of this kind.
        paired: chance that a good line outscores the bad one made from it; a tie counts half.
        n: bad lines.
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
        kinds: kind of bad line (`contrast.KINDS`) -> how well this kind is told.
        n: good lines and bad lines together.
        reliable: whether `auc` reaches `FLOOR`.
    """

    slope: float
    intercept: float
    auc: Interval
    paired: Interval
    kinds: dict[str, Kind]
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
        calibration: metric -> how far to trust it.
        duels: share of the contrast set's couples in which it prefers the good line, asked in both orders, where a
            judge that contradicts itself is half right; None for a judge that scores lines one by one.
        contradictions: share of couples in which the order decided; None likewise.
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


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one line: metric -> score (0..1) and metric -> reason (Korean)."""

    scores: dict[str, float]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Line:
    """One generated line.

    Attributes:
        verdicts: judge (`JudgeFacts.name`) -> what it says. A broken line scores 0 in every metric.
        leak: product or value stands verbatim in the line.
        broken: empty, more than one line, or without Hangul.
        copied_from: the training row's line that it nearly repeats, else empty.
    """

    prompt: str
    product: str
    values: tuple[str, ...]
    line: str
    verdicts: dict[str, Verdict]
    leak: bool
    broken: bool
    copied_from: str


@dataclass(frozen=True)
class System:
    """One model, or one way of asking it, on the report's pairs.

    Attributes:
        name: what tables and figures call it, e.g. `base, 8 examples`; unique in a report.
        model, revision: repo id and commit sha of what was asked; an endpoint's model may have no sha.
        leak_rate, broken_rate, copy_rate: shares of lines, 0..1.
        distinct: n (`1`, `2`, `3`) -> distinct character n-grams / all of them, over all lines, 0..1.
        length: mean characters a line.
        tokens_per_second: new tokens a second while it wrote, on the machine of the evaluation; None where another
            machine wrote.
    """

    name: str
    model: str
    revision: str
    leak_rate: float
    broken_rate: float
    copy_rate: float
    distinct: dict[str, float]
    length: float
    tokens_per_second: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Difference:
    """One metric of one system minus that of another, on the same pairs.

    Attributes:
        mean: with its bootstrap interval over pairs.
        p: two-sided, of the paired test.
        p_holm: after Holm's correction over all tests of one judgement.
    """

    mean: Interval
    p: float
    p_holm: float


@dataclass(frozen=True)
class Duel:
    """Two systems, pair by pair: shares of pairs that `system` wins, that are ties, and that it loses; their sum is 1.

    Attributes:
        differences: metric -> `system` minus `reference`.
    """

    system: str
    reference: str
    wins: float
    ties: float
    losses: float
    differences: dict[str, Difference]


@dataclass(frozen=True)
class Judgement:
    """What one judge says of all systems.

    Attributes:
        means: system -> metric -> mean over pairs with its bootstrap interval.
        sds: system -> metric -> sample standard deviation over lines.
        duels: every two systems once, the later one against the earlier one.
        ratings: system -> Bradley–Terry strength as log-odds against the mean system, with its bootstrap interval.
        unjudged: pairs left out, because the judge gave no score to a line of theirs (a content filter, for instance).
    """

    judge: JudgeFacts
    means: dict[str, dict[str, Interval]]
    sds: dict[str, dict[str, float]]
    duels: tuple[Duel, ...]
    ratings: dict[str, Interval]
    unjudged: int = 0


@dataclass(frozen=True)
class Report:
    """Several systems on the same pairs of one dataset, judged by one or more judges.

    Attributes:
        dataset, dataset_revision, dataset_split: where the pairs come from; id, commit sha, split.
        pairs: number of product–value pairs.
        bootstrap, seed: resamples behind every interval, and the seed of draws and generation.
        judgements: one for each judge; the first one leads where there is room for one only.
    """

    dataset: str
    dataset_revision: str
    dataset_split: str
    pairs: int
    bootstrap: int
    seed: int
    systems: tuple[System, ...]
    judgements: tuple[Judgement, ...]

    def to_json(self) -> str:
        """The text of `evaluation/report.json`."""
        return TypeAdapter(Report).dump_json(self, indent=1, ensure_ascii=False).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> Report:
        """A report from the text that `to_json` wrote; pydantic.ValidationError (a ValueError) on anything else."""
        return TypeAdapter(Report).validate_json(text)
