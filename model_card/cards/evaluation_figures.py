"""Figures of an evaluation as PNG bytes: scores that can be trusted, and who beats whom by them."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from model_card.cards.published import is_comparable, published
from model_card.cards.training_curve import ACCENT, COLOURS, GROUND, INK, SOFT, WIDTH, estimate, png, style
from model_card.comparison.report import Judgement, Report
from pipelines.metrics import Metric

_ROW = 0.44  # inches
_GAP = 0.4  # rows between our systems and others'
_EDGES = 0.4  # rows above the first and below the last
_LOSES = "#1c7ed6"


def scores(report: Report) -> bytes:
    """`evaluation/scores.png`: a panel for each metric, of the first judge that can be trusted with it.

    A system's bar is the 95 % interval of its mean, the points below it are its lines. Beside the judgement that
    `is_comparable` stands what the reference project published: mean and standard deviation by its own judge.
    """
    panels = [
        (judgement, metric, is_comparable(report, judgement) and published().has(metric))
        for judgement in report.reliable
        for metric in judgement.judge.metrics
        if report.trusted_with(metric.key) is judgement
    ]
    rows = [len(report.systems) + (_GAP + len(published().systems) if beside else 0) for _, _, beside in panels]
    titles = [0.5 + 0.25 * len(_judge(judgement).splitlines()) for judgement, _, _ in panels]
    with style():
        figure = Figure(figsize=(WIDTH, 1.1 + sum(titles) + _ROW * sum(rows)), layout="constrained")
        every = figure.subplots(len(panels), sharex=True, squeeze=False, height_ratios=[n + _EDGES for n in rows])[:, 0]
        for axes, (judgement, metric, beside) in zip(every, panels, strict=True):
            _scores_panel(axes, report, judgement, metric, beside=beside)
        every[-1].set_xlim(-0.02, min(1.02, max(axes.dataLim.xmax for axes in every) + 0.05))  # few lines reach 1
        every[-1].set_xlabel("점수 0–1, 높을수록 좋음 · score, higher is better")
        if any(beside for _, _, beside in panels):
            note = (
                f"◇ {published().name}, {published().judge}: 평균 ± 표준편차 · mean ± sd\n"
                "채점 모델과 쌍이 달라 바로 견줄 수 없음 · its own judge and pairs, not directly comparable"
            )
            figure.supxlabel(note, fontsize=9.5, x=0.01, ha="left")
        return png(figure)


def _scores_panel(axes: Axes, report: Report, judgement: Judgement, metric: Metric, *, beside: bool) -> None:
    """Our systems and, where they stand `beside`, those of the reference project."""
    judge = judgement.judge
    axes.set_title(f"{metric.korean} · {metric.name}\n{_judge(judgement)}")
    for row, system in enumerate(report.systems):
        colour = COLOURS[row % len(COLOURS)]
        judged = [line.verdicts[judge.name] for line in system.lines if judge.name in line.verdicts]
        points = [verdict.scores[metric.key] for verdict in judged]
        axes.scatter(points, [row + 0.22] * len(points), s=14, color=colour, alpha=0.25, linewidths=0)
        estimate(axes, row, judgement.means[system.name][metric.key], colour)
        _value(axes, row, judgement.means[system.name][metric.key].value)
    labels = [system.name for system in report.systems]
    places: list[float] = [*range(len(labels))]
    if beside:
        axes.axhline(len(labels) - 0.4, color=SOFT, linewidth=0.8, linestyle=(0, (2, 3)))
        places += [len(labels) + _GAP + place for place in range(len(published().systems))]
        labels += [f"◇ {other.model}" for other in published().systems]
        _others(axes, places[len(report.systems) :], metric)
    axes.set_yticks(places, [wrapped(name, 22, 3) for name in labels], fontsize=10)
    axes.set_ylim(places[-1] + 0.6, -0.4 - _EDGES)  # the first system on top
    axes.grid(axis="y", visible=False)


def _others(axes: Axes, places: Sequence[float], metric: Metric) -> None:
    for place, other in zip(places, published().systems, strict=True):
        if metric.key not in other.scores:
            continue
        spread = other.scores[metric.key]
        axes.plot([spread.mean - spread.sd, min(spread.mean + spread.sd, 1)], [place, place], color=SOFT, linewidth=1)
        axes.scatter(
            [spread.mean], [place], s=36, marker="D", facecolors=GROUND, edgecolors=INK, linewidths=1.2, zorder=3
        )
        _value(axes, place, spread.mean)


def _value(axes: Axes, row: float, value: float) -> None:
    axes.annotate(f"{value:.2f}", (value, row), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9.5)


def pairwise(report: Report) -> bytes:
    """`evaluation/duels.png`: a block for each judge that compares reliably, systems by rating.

    How often the row's line beats the column's, where a tie counts half, and the rating with its interval.
    """
    shown = [judgement for judgement in report.judgements if judgement.judge.compares_reliably]
    systems = len(report.systems)
    with style():
        height = len(shown) * (1.3 + 0.5 * systems)
        figure = Figure(figsize=(max(WIDTH, 4.6 + 0.45 * systems), height), layout="constrained")
        panels = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(0.45 * systems, 1.8), sharey="row")
        for (matrix, ratings), judgement in zip(panels, shown, strict=True):
            _pairwise_block(matrix, ratings, judgement)
        return png(figure)


def _pairwise_block(matrix: Axes, ratings: Axes, judgement: Judgement) -> None:
    order = sorted(judgement.ratings, key=lambda name: judgement.ratings[name].value, reverse=True)
    share = {}
    for comparison in judgement.duels:
        share[comparison.system, comparison.reference] = comparison.wins + comparison.ties / 2
        share[comparison.reference, comparison.system] = comparison.losses + comparison.ties / 2
    won = [[share.get((one, other), float("nan")) for other in order] for one in order]
    colours = LinearSegmentedColormap.from_list("pairwise", [_LOSES, GROUND, ACCENT])
    matrix.imshow(won, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for row, shares in enumerate(won):
        matrix.annotate(
            str(row + 1),
            (0, row),
            xycoords=matrix.get_yaxis_transform(),
            xytext=(-6, -3.5),
            textcoords="offset points",
            ha="right",
            fontsize=10,
        )
        for column, value in enumerate(shares):
            text = "–" if row == column else f"{100 * value:.0f}"
            matrix.text(column, row, text, ha="center", va="center", fontsize=10)
    matrix.set_yticks(range(len(order)), [wrapped(name, 22, 3) for name in order])
    matrix.set_xticks(range(len(order)), [str(place) for place in range(1, len(order) + 1)])
    matrix.tick_params(axis="both", labelsize=10, length=0)
    matrix.tick_params(axis="y", pad=22)  # room for the system's number
    matrix.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    title = f"{_judge(judgement)}\n행이 열을 이긴 비율, % · row beats column"
    matrix.set_title(title, fontsize=10, linespacing=1.4)
    matrix.grid(visible=False)
    for row, name in enumerate(order):
        rating = judgement.ratings[name]
        ratings.plot([rating.low, rating.high], [row, row], color=INK, linewidth=2.5, solid_capstyle="round")
        ratings.scatter([rating.value], [row], s=40, color=INK, zorder=3)
    ratings.axvline(0, color=SOFT, linewidth=0.8)
    ratings.set_title("레이팅 · rating", fontsize=10)
    ratings.set_xlabel("로그 오즈 · log-odds", fontsize=9.5)
    ratings.tick_params(axis="y", length=0, labelleft=False)
    ratings.xaxis.set_major_locator(MaxNLocator(nbins=4))
    ratings.grid(axis="y", visible=False)


def _judge(judgement: Judgement) -> str:
    return wrapped(judgement.judge.name, 40, 2)


def wrapped(name: str, width: int, lines: int) -> str:
    """A long name in up to so many lines.

    Args:
        width: Latin letters a line; of Hangul, whose letters are wider, it takes fewer.
    """
    wide = any(unicodedata.east_asian_width(letter) == "W" for letter in name)
    letters = round(0.65 * width) if wide else width
    return textwrap.fill(" ".join(name.split()), letters, max_lines=lines, placeholder="…")
