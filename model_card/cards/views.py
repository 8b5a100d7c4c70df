"""A report as templates and figures show it: names in words, duels seen from one system, lines by pair."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from model_card.comparison.report import (
    FLOOR,
    METRICS,
    Difference,
    Duel,
    Interval,
    JudgeFacts,
    Judgement,
    Line,
    Report,
    System,
)

#: Kinds of spoilt lines (`contrast.KINDS`) in Korean and English.
KIND_NAMES: dict[str, tuple[str, str]] = {
    "other_product": ("다른 상품의 줄", "another product's line"),
    "other_value": ("가치가 다른 줄", "other values"),
    "shuffled": ("어순을 섞은 줄", "shuffled words"),
    "wrong_ending": ("조사·어미가 틀린 줄", "wrong particle or ending"),
    "template": ("상품과 가치를 그대로 옮긴 문장", "product and value in a template"),
    "worn_out": ("흔한 상투어", "worn-out phrase"),
}


def kind_name(kind: str) -> tuple[str, str]:
    """Korean and English; a kind that has no name is its own."""
    return KIND_NAMES.get(kind, (kind, kind))


def how(judge: JudgeFacts) -> tuple[str, str]:
    """How a judge comes to its scores, in Korean and English."""
    return {
        "likelihood": ("언어 모델의 가능도", "likelihood of a language model"),
        "probabilities": ("루브릭 채점, 점수 토큰 확률의 평균", "rubric, mean over the score token's probabilities"),
        "samples": (f"루브릭 채점, {judge.samples}회 표본의 평균", f"rubric, mean of {judge.samples} samples"),
    }[judge.scoring]


def blind_spots(judge: JudgeFacts) -> list[tuple[str, str, float]]:
    """(metric, kind of spoilt line, AUC) of what the judge tells with less than `FLOOR`."""
    return [
        (metric, kind, found.auc)
        for metric in METRICS
        for kind, found in judge.calibration[metric].kinds.items()
        if found.auc < FLOOR
    ]


def unreliable(judge: JudgeFacts) -> list[str]:
    """Metrics that the judge cannot be trusted with."""
    return [metric for metric in METRICS if not judge.calibration[metric].reliable]


def trusted(judge: JudgeFacts) -> list[str]:
    """Metrics that the judge can be trusted with; all where there is none."""
    return [metric for metric in METRICS if judge.calibration[metric].reliable] or list(METRICS)


def judges_itself(report: Report, judge: JudgeFacts) -> list[str]:
    """Names of the systems whose lines a likelihood judge wrote itself: what is likely to it, it also writes."""
    if judge.family != "likelihood":
        return []
    return [system.name for system in report.systems if judge.name.rpartition("@")[0] == system.model]


def against(judgement: Judgement, name: str) -> list[Duel]:
    """The duels of one system, each seen from its side."""
    return [
        duel if duel.system == name else _turned(duel)
        for duel in judgement.duels
        if name in (duel.system, duel.reference)
    ]


def _turned(duel: Duel) -> Duel:
    differences = {
        metric: Difference(Interval(-found.mean.value, -found.mean.high, -found.mean.low), found.p, found.p_holm)
        for metric, found in duel.differences.items()
    }
    return Duel(duel.reference, duel.system, duel.losses, duel.ties, duel.wins, differences)


def by_pair(report: Report) -> dict[tuple[str, tuple[str, ...]], list[tuple[System, Line]]]:
    """(product, values) -> the lines of all systems for it, in order of systems."""
    found: dict[tuple[str, tuple[str, ...]], list[tuple[System, Line]]] = {}
    for system in report.systems:
        for line in system.lines:
            found.setdefault((line.product, line.values), []).append((system, line))
    return found


def extremes(report: Report, system: System, best: int = 3, worst: int = 2) -> Sequence[Line]:
    """The system's lines that the leading judge puts highest and lowest by the metrics that it can be trusted with."""
    judge = report.judgements[0].judge
    judged = [line for line in system.lines if judge.name in line.verdicts]
    ranked = sorted(
        judged,
        key=lambda line: fmean(line.verdicts[judge.name].scores[metric] for metric in trusted(judge)),
        reverse=True,
    )
    return ranked[:best] + ranked[best:][-worst:]


def probability(p: float) -> str:
    """`p = 0.032`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval(found: Interval, digits: int = 3) -> str:
    """`0.700 [0.600, 0.800]`."""
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def signed(found: Interval, digits: int = 3) -> str:
    """`+0.400 [+0.310, +0.490]`."""
    return f"{found.value:+.{digits}f} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"
