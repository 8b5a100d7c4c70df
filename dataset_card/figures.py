"""The pictures of the dataset card. Opaque, large letters: they stand on white and on black, and on a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dataset_card.facts import Facts
from pipelines.fonts import hangul_font

PAPER, INK, PALE = "#fbfaf7", "#22252b", "#d9d5cc"
KEPT, LOST = "#1f6f5c", "#c9563c"
WIDTH, DPI = 7.2, 150
#: Bars of the category picture: the largest; the rest is told in one bar.
TOP_CATEGORIES = 12

#: Korean names of the rejection reasons, for bars and tables.
REASON_NAMES = {
    "refusal": "쓰기를 거절함",
    "format": "한 줄이 아님",
    "length": "길이",
    "script": "한글 아닌 글자",
    "leak": "상품·가치 노출",
    "pv": "가치 전달 부족",
    "naturalness": "부자연스러움",
    "duplicate": "같은 줄",
    "outranked": "더 나은 줄 있음",
}
DEVICE_NAMES = {
    "metaphor": "은유",
    "pun": "언어유희",
    "parallelism": "대구",
    "contrast": "대조",
    "question": "물음",
    "personification": "의인",
    "imperative": "명령",
    "understatement": "절제",
    "hyperbole": "과장",
    "narrative": "이야기",
}


def draw_figures(facts: Facts, kept: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Write the PNG files of the card into `folder/figures` and give their paths in the repo.

    Rows without categories and devices, as imported ones are, make no picture of them.
    """
    pictures: dict[str, Callable[[], Figure]] = {
        "acceptance": lambda: acceptance(facts),
        "lengths": lambda: lengths(kept),
    }
    if any(row["category"] and row["device"] for row in kept):
        pictures["devices"] = lambda: categories_and_devices(kept)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context({"font.family": hangul_font(), "axes.unicode_minus": False}):
        for name, picture in pictures.items():
            path = f"figures/{name}.png"
            picture().savefig(folder / path, dpi=DPI, facecolor=PAPER)
            paths.append(path)
    return paths


def acceptance(facts: Facts) -> Figure:
    """From all lines to the kept ones, a step for each reason, as a waterfall."""
    lost = facts.computed.rejected
    steps = [("모은 줄", facts.computed.before.rows), *((REASON_NAMES[name], count) for name, count in lost.items())]
    steps.append(("남은 줄", facts.computed.after.rows))
    figure, axes = _canvas(0.9 + 0.52 * len(steps), "어떤 줄이 걸러졌나")
    left = facts.computed.before.rows
    for place, (_, count) in enumerate(steps):
        whole = place in (0, len(steps) - 1)
        left = left if whole else left - count
        start = 0 if whole else left
        axes.barh(place, count, left=start, height=0.62, color=KEPT if whole else LOST)
        axes.annotate(
            f"{count:,}" if whole else f"-{count:,}",
            (start + count, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=13,
            color=INK,
        )
    _label_bars(axes, [name for name, _ in steps])
    axes.set_xlim(0, facts.computed.before.rows * 1.16)
    return figure


def lengths(kept: Sequence[Mapping[str, Any]]) -> Figure:
    """How many lines have how many characters."""
    counts = Counter(len(row["ad_copy"]) for row in kept)
    figure, axes = _canvas(3.6, "한 줄의 길이")
    axes.bar(list(counts), list(counts.values()), width=0.85, color=KEPT)
    axes.set_xlabel("글자 수 (띄어쓰기 포함)", fontsize=13, color=INK)
    axes.set_ylabel("줄", fontsize=13, color=INK, rotation=0, labelpad=14)
    axes.tick_params(labelsize=12, colors=INK, length=0)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure


def categories_and_devices(kept: Sequence[Mapping[str, Any]]) -> Figure:
    """The largest categories, and the rhetorical devices, by lines."""
    categories = Counter(row["category"] for row in kept if row["category"]).most_common()
    devices = Counter(row["device"] for row in kept if row["device"]).most_common()
    top, rest = categories[:TOP_CATEGORIES], categories[TOP_CATEGORIES:]
    figure = _paper(5.4)
    left, right = figure.subplots(1, 2)
    _bars(left, "상품 범주", top)
    if rest:
        note = f"그 밖의 {len(rest)}개 범주에 {sum(count for _, count in rest):,}줄"
        left.set_xlabel(note, fontsize=12, color=INK)
    _bars(right, "수사법", [(DEVICE_NAMES.get(name, name), count) for name, count in devices])
    return figure


def _paper(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))


def _canvas(height: float, title: str) -> tuple[Figure, Any]:
    figure = _paper(height)
    axes = figure.subplots()
    _plain(axes, title)
    return figure, axes


def _bars(axes: Any, title: str, counts: Sequence[tuple[str, int]]) -> None:
    _plain(axes, title)
    bars = axes.barh(range(len(counts)), [count for _, count in counts], height=0.62, color=KEPT)
    axes.bar_label(bars, fmt="{:,.0f}", padding=4, fontsize=12, color=INK)
    axes.margins(x=0.2)
    _label_bars(axes, [name for name, _ in counts])


def _label_bars(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.tick_params(axis="y", labelsize=13, colors=INK, length=0)


def _plain(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=16, color=INK, loc="left", pad=10, weight="bold")
    axes.set_facecolor(PAPER)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
