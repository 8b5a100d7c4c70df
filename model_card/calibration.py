"""How far a judge can be trusted: its scores on lines that are good by construction and on lines spoilt on purpose."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model_card.facts import FLOOR, METRICS, Calibration
from pipelines.likelihood import RawScores, Scorable, topic_particle

#: Lines that could stand under any product. None of them is among `likelihood.DULL_LINES`.
WORN_OUT = (
    "지금 바로 만나보세요",
    "당신의 일상을 특별하게",
    "새로운 시작을 함께하세요",
    "완벽한 선택, 그 이상의 가치",
    "최고의 품질을 경험하세요",
    "오늘부터 달라지는 나를 느껴보세요",
    "더 나은 내일을 위한 선택",
    "고객님의 만족을 약속드립니다",
)

Kind = Literal["other_product", "shuffled", "template", "worn_out"]
#: The kinds of bad line that each metric has to tell from the good one.
KINDS: dict[str, tuple[Kind, ...]] = {
    "pv": ("other_product",),
    "naturalness": ("shuffled",),
    "creativity": ("template", "worn_out"),
}


@dataclass(frozen=True)
class Contrast:
    """A good row and a bad one made from it.

    Attributes:
        kind: how the line was spoilt.
        origin: index of the good row.
    """

    kind: Kind
    origin: int
    bad: Scorable


def contrast_set(rows: Sequence[Scorable], seed: int) -> list[Contrast]:
    """Up to four bad rows for each good one; a line whose words cannot be shuffled has three.

    Args:
        rows: held-out rows of at least two products: the good lines.

    Raises:
        ValueError: fewer than two products.
    """
    if len({row["product"] for row in rows}) < 2:
        raise ValueError("A contrast set needs rows of at least two products: calibrate on a larger split")
    rng = random.Random(seed)
    found: list[Contrast] = []
    for index, row in enumerate(rows):
        stranger = rng.choice([other for other in rows if other["product"] != row["product"]])
        lines: dict[Kind, str | None] = {
            "other_product": stranger["ad_copy"],
            "shuffled": shuffled(row["ad_copy"], rng),
            "template": template(row["product"], row["values"]),
            "worn_out": WORN_OUT[index % len(WORN_OUT)],
        }
        found += [
            Contrast(kind, index, {"product": row["product"], "values": row["values"], "ad_copy": line})
            for kind, line in lines.items()
            if line is not None
        ]
    return found


def shuffled(line: str, rng: random.Random) -> str | None:
    """The line with its words in another order, None where there is no other."""
    words = line.split()
    if len(set(words)) < 2:
        return None
    mixed = words[:]
    while mixed == words:
        rng.shuffle(mixed)
    return " ".join(mixed)


def template(product: str, values: Sequence[str]) -> str:
    """`{product}는 {value}합니다`, with the particle that the product's last letter asks for."""
    return f"{product}{topic_particle(product)} {values[0]}합니다"


def calibrate(
    good: Sequence[RawScores], contrasts: Sequence[Contrast], bad: Sequence[RawScores], *, bootstrap: int, seed: int
) -> dict[str, Calibration]:
    """One calibration a metric from raw scores of the contrast set.

    Args:
        good: scores of the rows that `contrast_set` was given, in order.
        contrasts, bad: what it returned, and their scores, in order.
        bootstrap: resamples of the good rows (with the bad rows made from them) behind the interval of the AUC.
    """
    return {
        metric: _calibration(
            np.array([getattr(score, metric) for score in good], dtype=float),
            {
                kind: (
                    np.array([c.origin for c in contrasts if c.kind == kind], dtype=int),
                    np.array([getattr(s, metric) for c, s in zip(contrasts, bad, strict=True) if c.kind == kind]),
                )
                for kind in KINDS[metric]
            },
            bootstrap,
            seed,
        )
        for metric in METRICS
    }


def _calibration(
    good: NDArray[Any], spoilt: dict[Kind, tuple[NDArray[Any], NDArray[Any]]], bootstrap: int, seed: int
) -> Calibration:
    origins = np.concatenate([origin for origin, _ in spoilt.values()])
    bad = np.concatenate([scores for _, scores in spoilt.values()])
    parts = {str(kind): auc(good, scores) for kind, (_, scores) in spoilt.items()}
    low, high = _auc_interval(good, origins, bad, bootstrap, seed)
    slope, intercept = logistic(good, bad)
    return Calibration(
        slope=slope,
        intercept=intercept,
        auc=auc(good, bad),
        auc_low=low,
        auc_high=high,
        paired=float(np.mean((good[origins] > bad) + 0.5 * (good[origins] == bad))),
        parts=parts,
        n=len(good),
        reliable=min(parts.values()) >= FLOOR,
    )


def auc(good: NDArray[Any], bad: NDArray[Any]) -> float:
    """Area under the ROC curve as the Mann–Whitney statistic: P(good > bad) + P(good = bad) / 2."""
    ranked = np.sort(bad)
    below = np.searchsorted(ranked, good, side="left")
    ties = np.searchsorted(ranked, good, side="right") - below
    return float((below + 0.5 * ties).sum() / (len(good) * len(bad)))


def _auc_interval(
    good: NDArray[Any], origins: NDArray[Any], bad: NDArray[Any], bootstrap: int, seed: int
) -> tuple[float, float]:
    """95 % percentile interval; a good row and the bad rows made from it are drawn together."""
    rng = np.random.default_rng(seed)
    made_from = [bad[origins == index] for index in range(len(good))]
    found = []
    for _ in range(bootstrap):
        drawn = rng.integers(len(good), size=len(good))
        spoilt = np.concatenate([made_from[index] for index in drawn])
        if len(spoilt):
            found.append(auc(good[drawn], spoilt))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def logistic(good: NDArray[Any], bad: NDArray[Any]) -> tuple[float, float]:
    """Slope and intercept of P(good | raw) with both classes weighing the same.

    Logistic regression by Newton's method, with Platt's (1999) soft targets, so that separable scores stay finite.
    The slope is never negative: a judge that prefers bad lines says 0.5 to everything.
    """
    raw = np.concatenate([good, bad]).astype(float)
    centre, scale = float(raw.mean()), float(raw.std())
    if scale < 1e-12:
        return 0.0, 0.0
    x = np.column_stack([(raw - centre) / scale, np.ones(len(raw))])
    target = np.repeat([(len(good) + 1) / (len(good) + 2), 1 / (len(bad) + 2)], [len(good), len(bad)])
    weight = np.repeat([0.5 / len(good), 0.5 / len(bad)], [len(good), len(bad)])
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (weight * (target - p))
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    if beta[0] <= 0:
        return 0.0, 0.0
    slope = float(beta[0]) / scale
    return slope, float(beta[1]) - slope * centre


def apply(calibration: Calibration, raw: float) -> float:
    """A raw score on the 0..1 scale: the chance that the line is good rather than spoilt, at even odds."""
    z = min(max(calibration.slope * raw + calibration.intercept, -60.0), 60.0)
    return float(1 / (1 + np.exp(-z)))
