"""Pictures of how lengths, categories, devices and scores are distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from dataset_card.figures.canvas import ABOVE, AFTER, BEFORE, INK, LINE, LOST, PAIR, SMALL, head, pairs, paper
from dataset_card.quality import BINS, Quality
from dataset_card.table import occurring
from pipelines.filters.limits import Limits
from pipelines.metrics import METRICS

DEVICE_NAMES = {
    "benefit": "혜택",
    "scene": "장면",
    "metaphor": "은유",
    "pun": "언어유희",
    "parallelism": "대구",
    "contrast": "대조",
    "question": "질문",
    "personification": "의인화",
    "imperative": "명령",
    "understatement": "절제",
    "hyperbole": "과장",
    "narrative": "이야기",
    "dialogue": "대화",
    "onomatopoeia": "의성·의태",
    "reversal": "반전",
}


def lengths(after: Quality, kept: Sequence[Mapping[str, Any]]) -> Figure:
    """How many lines have how many characters."""
    counts = Counter(len(row["ad_copy"]) for row in kept)
    found = after.lengths
    figure, (axes,) = paper(2.5)
    head(axes, "카피 길이", f"중앙값 {found.p50}자, 90%가 {found.p5}–{found.p95}자")
    axes.axvspan(found.p5 - 0.5, found.p95 + 0.5, color=LINE, zorder=0)
    axes.bar(list(counts), list(counts.values()), width=0.86, color=AFTER)
    axes.set_xlabel("글자 수 (띄어쓰기 포함)", fontsize=SMALL, color=INK)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=7, min_n_ticks=1)
    axes.yaxis.set_major_formatter("{x:,.0f}행")
    axes.set_axisbelow(True)
    return figure


def coverage(before: Quality, after: Quality) -> Figure:
    """Categories, the largest first, and rhetorical devices, as shares of lines before and after.

    What no line has is counted and not drawn.
    """
    categories = sorted(_shares(before.categories, after.categories), key=lambda found: -found[2])
    devices = _shares(before.devices, after.devices)
    figure, (upper, lower) = paper(2.1, ABOVE + 0.2 + PAIR * len(devices))
    taken = f"{len(before.categories)}개 중 {occurring(after.categories)}개"
    note = f"{taken}에 카피가 있음, 균등도 {after.category_coverage:.3f}"
    head(upper, "상품 범주", note, legend=True)
    places = range(len(categories))
    upper.bar(places, [share for _, share, _ in categories], width=1, color=BEFORE)
    upper.bar(places, [share for _, _, share in categories], width=0.6, color=AFTER)
    if len(categories) > 1:
        upper.set_xticks([0, places[-1]], [f"많음: {categories[0][0]}", f"적음: {categories[-1][0]}"])
        for label, side in zip(upper.get_xticklabels(), ("left", "right"), strict=True):
            label.set_horizontalalignment(side)
    else:
        upper.set_xticks([0], [categories[0][0]])
    upper.yaxis.get_major_locator().set_params(nbins=4)
    upper.yaxis.set_major_formatter("{x:g}%")
    note = f"{len(before.devices)}가지 중 {occurring(after.devices)}가지, 균등도 {after.device_coverage:.3f}"
    head(lower, "수사법", note, legend=True)
    names, old, new = zip(*devices, strict=True)
    texts = [f"{first:.1f} → {second:.1f}%" for first, second in zip(old, new, strict=True)]
    pairs(lower, [DEVICE_NAMES.get(name, name) for name in names], old, new, texts)
    lower.set_xlim(0, max(*old, *new) * 1.7)
    return figure


def scores(before: Quality, after: Quality, limits: Limits) -> Figure:
    """How the judge's scores lie, of all scored rows and of the kept ones, with the thresholds."""
    least = {} if limits.min_sense is None else {"sense": limits.min_sense}
    figure, panels = paper(*[1.55] * len(after.scores))
    places = [(place + 0.5) / BINS for place in range(BINS)]
    for axes, (name, new) in zip(panels, after.scores.items(), strict=True):
        old = before.scores[name]
        threshold = f", 빨간 선은 기준 {least[name]:.2f}" if name in least else ""
        note = f"평균 {old.mean:.2f} → {new.mean:.2f}{threshold}"
        head(axes, METRICS[name].korean, note, legend=True)
        axes.bar(places, old.bins, width=1 / BINS, color=BEFORE)
        axes.bar(places, new.bins, width=1 / BINS, color=AFTER)
        if name in least:
            axes.axvline(least[name], color=LOST, linewidth=1.5)
        axes.set_xlim(0, 1)
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=3, prune="lower")
        axes.yaxis.set_major_formatter("{x:,.0f}행")
    return figure


def _shares(before: Mapping[str, int], after: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """(name, percent before, percent after) of the rows that have one of the names; without names of none."""
    first, second = sum(before.values()), sum(after.values())
    found = [name for name in before if before[name] or after[name]]
    return [(name, 100 * before[name] / first, 100 * after[name] / second) for name in found]
