"""The pictures of the dataset card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from dataset_card.facts import Facts
from dataset_card.figures.canvas import ABOVE, AFTER, DPI, LOST, PAIR, STEP, beside, head, names, pairs, paper
from dataset_card.figures.distributions import coverage, lengths, scores
from dataset_card.quality import Quality
from pipelines.filters.filter_rows import REASONS
from pipelines.text.fonts import hangul_font

#: Every picture that there may be, by its path in the repo.
PATHS = tuple(f"figures/{name}.png" for name in ("acceptance", "quality", "lengths", "coverage", "scores"))


def draw_figures(facts: Facts, kept: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Write the PNG files of the card into `folder/figures` and give their paths in the repo.

    What rows do not have, as imported ones have no categories and devices, makes no picture.
    """
    before, after = facts.computed.before, facts.computed.after
    pictures: dict[str, Callable[[], Figure]] = {
        "acceptance": lambda: acceptance(facts),
        "quality": lambda: quality(before, after),
        "lengths": lambda: lengths(after, kept),
    }
    if after.category_coverage is not None and after.device_coverage is not None:
        pictures["coverage"] = lambda: coverage(before, after)
    if after.scores:
        pictures["scores"] = lambda: scores(before, after, facts.produced.limits)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context({"font.family": hangul_font(), "axes.unicode_minus": False}):
        for name, picture in pictures.items():
            path = f"figures/{name}.png"
            picture().savefig(folder / path, dpi=DPI)
            paths.append(path)
    return paths


def acceptance(facts: Facts) -> Figure:
    """From all lines to the kept ones, a step for each reason, as a waterfall."""
    before, after = facts.computed.before.rows, facts.computed.after.rows
    steps = [("모은 행", before)]
    steps += [(REASONS[reason].name, count) for reason, count in facts.computed.rejected.items()]
    steps.append(("남은 행", after))
    figure, (axes,) = paper(ABOVE + 0.1 + STEP * len(steps))
    head(axes, "어떤 카피가 걸러졌나", f"{before:,}행 가운데 {after / before:.0%}가 남음")
    left = before
    for place, (_, count) in enumerate(steps):
        whole = place in (0, len(steps) - 1)
        left = left if whole else left - count
        start = 0 if whole else left
        axes.barh(place, count, left=start, height=0.66, color=AFTER if whole else LOST)
        beside(axes, f"{count:,}" if whole else f"-{count:,}", start + count, place)
    names(axes, [name for name, _ in steps])
    axes.set_xlim(0, before * 1.24)
    return figure


def quality(before: Quality, after: Quality) -> Figure:
    """What should be low and what should be high, before and after, each out of a hundred."""
    low, high = _percents(before, after, _low), _percents(before, after, _high)
    figure, panels = paper(ABOVE + PAIR * len(low), ABOVE + PAIR * len(high))
    for axes, title, found in zip(panels, ("낮을수록 좋은 지표", "높을수록 좋은 지표"), (low, high), strict=True):
        head(axes, title, legend=True)
        labels, first, second = zip(*found, strict=True)
        texts = [f"{old:.1f} → {new:.1f}" for old, new in zip(first, second, strict=True)]
        pairs(axes, labels, first, second, texts)
        axes.set_xlim(0, 165)
    return figure


def _low(found: Quality) -> dict[str, float | None]:
    return {
        "상품 노출": 100 * (found.leaks["product"] + found.leaks["part"]),
        "가치 노출": 100 * (found.leaks["value"] + found.leaks["stem"]),
        "남은 따옴표": 100 * found.stray_quotes,
        "거의 같은 카피": 100 * found.diversity.near_duplicates,
        "Self-BLEU": found.diversity.self_bleu,
    }


def _high(found: Quality) -> dict[str, float | None]:
    varied = found.diversity
    return {
        "distinct-1": 100 * varied.distinct[0],
        "distinct-2": 100 * varied.distinct[1],
        "Vendi ÷ 카피 수": 100 * varied.vendi / varied.lines,
        "범주 균등도": None if found.category_coverage is None else 100 * found.category_coverage,
        "수사법 균등도": None if found.device_coverage is None else 100 * found.device_coverage,
    }


def _percents(
    before: Quality, after: Quality, choose: Callable[[Quality], dict[str, float | None]]
) -> list[tuple[str, float, float]]:
    """(name, before, after) of what both have."""
    first, second = choose(before), choose(after)
    return [(name, old, new) for name, old in first.items() if old is not None and (new := second[name]) is not None]
