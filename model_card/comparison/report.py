"""What an evaluation says: frozen facts, JSON in and out, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from model_card.judging.facts import JudgeFacts, Verdict
from model_card.statistics import Interval


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
class PairwiseComparison:
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
        duels: pairwise comparisons: every two systems once, the later one against the earlier one.
        ratings: system -> Bradley–Terry strength as log-odds against the mean system, with its bootstrap interval.
        unjudged: pairs left out, because the judge gave no score to a line of theirs (a content filter, for instance).
        compared: pairs, drawn by seed, on which `duels` and `ratings` stand; None where they stand on all.
    """

    judge: JudgeFacts
    means: dict[str, dict[str, Interval]]
    sds: dict[str, dict[str, float]]
    duels: tuple[PairwiseComparison, ...]
    ratings: dict[str, Interval]
    unjudged: int = 0
    compared: int | None = None


@dataclass(frozen=True)
class Report:
    """Several systems on the same pairs of one dataset, judged by one or more judges.

    Attributes:
        dataset, dataset_revision, dataset_split: where the pairs come from; id, commit sha, split.
        pairs: number of product–value pairs.
        bootstrap, seed: resamples behind every interval, and the seed of draws and generation.
        judgements: one for each judge, the most reliable first, as they were given where they are equally reliable.
    """

    dataset: str
    dataset_revision: str
    dataset_split: str
    pairs: int
    bootstrap: int
    seed: int
    systems: tuple[System, ...]
    judgements: tuple[Judgement, ...]

    def __post_init__(self) -> None:
        ranked = sorted(self.judgements, key=lambda judgement: judgement.judge.reliability, reverse=True)
        object.__setattr__(self, "judgements", tuple(ranked))

    @property
    def reliable(self) -> list[Judgement]:
        """Those by judges that can be trusted with a metric or more."""
        return [judgement for judgement in self.judgements if judgement.judge.trusted]

    @property
    def unreliable(self) -> list[Judgement]:
        """Those by judges that can be trusted with none: shown folded away, and nothing follows from them."""
        return [judgement for judgement in self.judgements if not judgement.judge.trusted]

    @property
    def leading(self) -> Judgement | None:
        """The one to show where there is room for one only; None where no judge is reliable."""
        return next(iter(self.reliable), None)

    def trusted_with(self, metric: str) -> Judgement | None:
        """The first one by a judge that can be trusted with a metric, None where there is none."""
        return next((judgement for judgement in self.judgements if metric in judgement.judge.trusted), None)

    def to_json(self) -> str:
        """The text of `evaluation/report.json`."""
        return TypeAdapter(Report).dump_json(self, indent=1, ensure_ascii=False).decode() + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> Report:
        """A report from the text that `to_json` wrote; pydantic.ValidationError (a ValueError) on anything else."""
        return TypeAdapter(Report).validate_json(text)
