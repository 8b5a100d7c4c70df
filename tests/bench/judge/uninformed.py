"""Judges that know nothing: is every one of them called unreliable?"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

from model_card.judging.contrast_set import build_contrast_set
from model_card.judging.facts import FLOOR
from model_card.judging.graded import graded_lines, of_part
from model_card.judging.judge import Raw, calibrated
from pipelines.metrics import METRICS
from pipelines.rows import Scorable
from pipelines.slogans import load_slogans
from pipelines.synthesis.examples import exemplary_slogans

#: What scores rows, and what prefers one of two lines.
Uninformed = tuple[Callable[..., list[Raw | None]], Callable[..., list[float | None]]]


def measure(tries: int) -> dict[str, int]:
    """How many are caught of how many: one is caught where no metric is reliable and its comparisons are not either."""
    caught = sum(_is_caught(make(seed), seed) for seed, make in enumerate(islice(cycle(KINDS), tries)))
    return {"bad_judges_caught": caught, "bad_judges_tried": tries}


def _is_caught(uninformed: Uninformed, seed: int) -> bool:
    raw, prefers = uninformed
    contrasts = build_contrast_set(load_slogans()[:60], exemplary_slogans(), of_part(graded_lines(), "test"), seed)
    judge = calibrated("bad", "geval", "samples", raw, contrasts, prefers=prefers, bootstrap=100, seed=seed)
    reliable = [metric for metric in METRICS if judge.facts.calibration[metric].reliable]
    return not reliable and judge.facts.duels is not None and judge.facts.duels.value < FLOOR


def at_random(seed: int) -> Uninformed:
    draw = random.Random(seed)

    def raw(rows: Sequence[Scorable]) -> list[Raw | None]:
        return [Raw({metric: draw.random() for metric in METRICS}) for _ in rows]

    def prefers(pairs: Sequence[Any]) -> list[float | None]:
        return [float(draw.random() < 0.5) for _ in pairs]

    return raw, prefers


def constant(seed: int) -> Uninformed:
    return (
        lambda rows: [Raw(dict.fromkeys(METRICS, 4.0)) for _ in rows],
        lambda pairs: [0.5 for _ in pairs],
    )


def first_is_best(seed: int) -> Uninformed:
    """What stands first is the best: of all rows that it is shown, and of two."""
    return (
        lambda rows: [Raw(dict.fromkeys(METRICS, float(-place))) for place, _ in enumerate(rows)],
        lambda pairs: [1.0 for _ in pairs],
    )


KINDS = (at_random, constant, first_is_best)
