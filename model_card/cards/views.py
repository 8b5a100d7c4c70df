"""A report as templates and figures show it: names in words, comparisons seen from one system, lines by pair."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from model_card.comparison.report import Difference, Judgement, Line, PairwiseComparison, Report, System
from model_card.judging.contrast_kinds import CONTRAST_KINDS
from model_card.judging.facts import JudgeFacts, is_reliable
from model_card.statistics import Interval
from pipelines.metrics import METRICS, Metric

#: Fewer systems than this have no figure of pairwise comparisons: the table says it all.
LEAST_FOR_PAIRWISE = 3


def has_scores(report: Report) -> bool:
    """Whether there is a figure of scores: unreliable ones are not drawn."""
    return bool(report.reliable)


def has_pairwise(report: Report) -> bool:
    """Whether there is a figure of comparisons: of enough systems, by a judge that compares two lines reliably."""
    return len(report.systems) >= LEAST_FOR_PAIRWISE and any(one.judge.compares_reliably for one in report.judgements)


def kind_name(kind: str) -> tuple[str, str]:
    """A kind of bad line in Korean and English; one that is no longer made is its own name."""
    known = CONTRAST_KINDS.get(kind)
    return (known.korean, known.english) if known else (kind, kind)


def scored_metrics(judges: Sequence[JudgeFacts]) -> list[Metric]:
    """Metrics that at least one of the judges scores."""
    return [metric for metric in METRICS.values() if any(metric.key in judge.calibration for judge in judges)]


def trusted_metrics(report: Report) -> list[Metric]:
    """Metrics that at least one of the judges can be trusted with."""
    return [metric for metric in METRICS.values() if report.trusted_with(metric.key)]


def how(judge: JudgeFacts) -> tuple[str, str]:
    """How a judge comes to its scores, in Korean and English."""
    return {
        "likelihood": ("언어 모델의 가능도", "likelihood of a language model"),
        "probabilities": ("루브릭 채점, 점수 토큰 확률의 평균", "rubric, mean over the score token's probabilities"),
        "samples": (f"루브릭 채점, {judge.samples}회 표본의 평균", f"rubric, mean of {judge.samples} samples"),
        "classifier": (
            "등급을 매긴 카피로 학습한 분류기, 점수는 읽는 이가 쓸 만하다고 볼 확률",
            "classifier fitted on graded lines; a score is the chance that a reader calls the line usable",
        ),
    }[judge.scoring]


def blind_spots(judge: JudgeFacts) -> list[tuple[Metric, str, float]]:
    """(metric, kind of bad line, AUC) of what the judge does not tell well enough from good lines."""
    return [
        (metric, kind, accuracy.auc)
        for metric in judge.metrics
        for kind, accuracy in judge.calibration[metric.key].kinds.items()
        if not is_reliable(accuracy.auc)
    ]


def is_unreliable(judge: JudgeFacts) -> bool:
    """Whether there is a metric that the judge cannot be trusted with."""
    return not all(calibration.reliable for calibration in judge.calibration.values())


def flat_metrics(judge: JudgeFacts) -> list[Metric]:
    """Metrics in which the judge says the same of every line."""
    return [metric for metric in judge.metrics if judge.calibration[metric.key].is_flat]


def judges_itself(report: Report, judge: JudgeFacts) -> list[str]:
    """Names of the systems whose lines a likelihood judge wrote itself: what is likely to it, it also writes."""
    if judge.family != "likelihood":
        return []
    return [system.name for system in report.systems if judge.name.rpartition("@")[0] == system.model]


def against(judgement: Judgement, name: str) -> list[PairwiseComparison]:
    """The comparisons of one system with each other one, seen from its side."""
    return [
        comparison if comparison.system == name else _turned(comparison)
        for comparison in judgement.duels
        if name in (comparison.system, comparison.reference)
    ]


def _turned(comparison: PairwiseComparison) -> PairwiseComparison:
    differences = {
        metric: Difference(Interval(-lead.mean.value, -lead.mean.high, -lead.mean.low), lead.p, lead.p_holm)
        for metric, lead in comparison.differences.items()
    }
    return PairwiseComparison(
        comparison.reference, comparison.system, comparison.losses, comparison.ties, comparison.wins, differences
    )


def by_pair(report: Report) -> dict[tuple[str, tuple[str, ...]], list[tuple[System, Line]]]:
    """(product, values) -> the lines of all systems for it, in order of systems."""
    lines: dict[tuple[str, tuple[str, ...]], list[tuple[System, Line]]] = {}
    for system in report.systems:
        for line in system.lines:
            lines.setdefault((line.product, line.values), []).append((system, line))
    return lines


def extremes(report: Report, system: System, best: int = 3, worst: int = 2) -> Sequence[Line]:
    """The system's lines that the leading judge puts highest and lowest by the metrics that it can be trusted with.

    Where no judge is reliable the first lines, in order: none of them ranks anything.
    """
    if not report.leading:
        return system.lines[: best + worst]
    judge = report.leading.judge
    judged = [line for line in system.lines if judge.name in line.verdicts]
    ranked = sorted(
        judged,
        key=lambda line: fmean(line.verdicts[judge.name].scores[metric] for metric in judge.trusted),
        reverse=True,
    )
    return ranked[:best] + ranked[best:][-worst:]


def probability(p: float) -> str:
    """`p = 0.032`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval(estimate: Interval, digits: int = 3) -> str:
    """`0.700 [0.600, 0.800]`."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def signed(estimate: Interval, digits: int = 3) -> str:
    """`+0.400 [+0.310, +0.490]`."""
    return f"{estimate.value:+.{digits}f} [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"
