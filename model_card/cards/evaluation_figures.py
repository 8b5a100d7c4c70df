"""Figures of an evaluation as PNG bytes: scores, how far the judges can be trusted, who beats whom."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from model_card.cards.published import published
from model_card.cards.training_curve import ACCENT, COLOURS, GROUND, INK, SOFT, png, style
from model_card.cards.views import kind_name, scored_metrics
from model_card.comparison.report import Judgement, Report
from model_card.judging.facts import FLOOR, JudgeFacts, is_reliable
from model_card.statistics import Interval
from pipelines.metrics import Metric

_WIDTH, _NEXT = 6.4, 4.2  # inches of a figure for one judge, and for each judge beside it
_ROW = 0.44
_GAP = 0.4  # rows between our systems and others'
_LOSES = "#1c7ed6"


def scores(report: Report) -> bytes:
    """`evaluation/scores.png`: a row a metric, a panel for each judge that scores it.

    A system's bar is the 95 % interval of its mean, the points below it are its lines. At the end of a row's first
    panel, in another mark, what the reference project published: mean and standard deviation by its own judge.
    """
    judgements = report.judgements
    metrics = scored_metrics([judgement.judge for judgement in judgements])
    panels_of = [[one for one in judgements if metric in one.judge.metrics] for metric in metrics]
    columns = max(len(found) for found in panels_of)
    rows = [
        len(report.systems) + (_GAP + len(published().systems) if published().has(metric) else 0) for metric in metrics
    ]
    title = 0.5 if len(judgements) == 1 else 0.75  # inches; with several judges it names one
    heights = [title + _ROW * count for count in rows]
    with style():
        size = (_WIDTH + _NEXT * (columns - 1), 1.1 + sum(heights))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(len(metrics), columns, sharex=True, sharey="row", squeeze=False, height_ratios=heights)
        for row, metric, found in zip(panels, metrics, panels_of, strict=True):
            for axes in row[len(found) :]:
                axes.set_visible(False)
            for axes, judgement in zip(row, found, strict=False):
                _scores_panel(axes, report, judgement, metric, beside=judgement is found[0] and published().has(metric))
                if len(judgements) > 1:
                    axes.set_title(f"{axes.get_title(loc='left')}\n{_wrapped(judgement.judge.name, 44)}")
        for axes in panels[-1]:
            axes.set_xlabel("점수, 높을수록 좋음 · score, higher is better")
        note = (
            f"◇ {published().name}, {published().judge}: 평균 ± 표준편차 · mean ± sd\n"
            "채점 모델과 쌍이 달라 바로 견줄 수 없음 · its own judge and pairs, not directly comparable"
        )
        figure.supxlabel(note, fontsize=9.5, x=0.01, ha="left")
        return png(figure)


def _scores_panel(axes: Axes, report: Report, judgement: Judgement, metric: Metric, *, beside: bool) -> None:
    """Our systems and, where they stand `beside`, those of the reference project."""
    judge = judgement.judge
    axes.set_title(f"{metric.korean} · {metric.name}{_mark(judge.calibration[metric.key].reliable)}")
    for row, system in enumerate(report.systems):
        colour = COLOURS[row % len(COLOURS)]
        judged = [line.verdicts[judge.name] for line in system.lines if judge.name in line.verdicts]
        points = [verdict.scores[metric.key] for verdict in judged]
        axes.scatter(points, [row + 0.22] * len(points), s=14, color=colour, alpha=0.25, linewidths=0)
        _estimate(axes, row, judgement.means[system.name][metric.key], colour)
    labels = [system.name for system in report.systems]
    places: list[float] = [*range(len(labels))]
    if beside:
        axes.axhline(len(labels) - 0.4, color=SOFT, linewidth=0.8, linestyle=(0, (2, 3)))
        places += [len(labels) + _GAP + place for place in range(len(published().systems))]
        labels += [f"◇ {other.model}" for other in published().systems]
        _others(axes, places[len(report.systems) :], metric)
    if axes.get_subplotspec().is_first_col():  # type: ignore[union-attr]
        axes.set_yticks(places, [_wrapped(name) for name in labels], fontsize=10)
        axes.set_ylim(places[-1] + 0.6, -0.8)  # the first system on top
    axes.set_xlim(-0.02, 1.02)
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


def calibration(judges: Sequence[JudgeFacts]) -> bytes:
    """`calibration.png`: a column a judge; AUC by metric with its interval, and by kind of bad line."""
    metrics, compared = scored_metrics(judges), any(judge.duels for judge in judges)
    rows = [_calibration_rows(judge, metrics, compared) for judge in judges]
    lowest = min(
        row.area.low if isinstance(row.area, Interval) else row.area
        for column in rows
        for row in column
        if row.area is not None
    )
    with style():
        size = (_WIDTH + _NEXT * (len(judges) - 1), 1.3 + 0.36 * len(rows[0]))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(judges), sharex=True, sharey=True, squeeze=False)[0]
        for axes, judge, column in zip(panels, judges, rows, strict=True):
            _calibration_panel(axes, column)
            axes.set_title(_wrapped(judge.name, 40))
            axes.set_xlim(min(0.45, lowest - 0.04), 1.07)
        return png(figure)


@dataclass(frozen=True)
class _Row:
    """A row of the calibration.

    Attributes:
        area: AUC; with an interval for a metric or for comparing two lines, without one for a kind of bad line. None
            for what the judge does not do.
    """

    label: str
    area: Interval | float | None
    reliable: bool


def _calibration_rows(judge: JudgeFacts, metrics: Sequence[Metric], compared: bool) -> list[_Row]:
    rows = []
    for metric in metrics:
        calibration = judge.calibration.get(metric.key)
        area, reliable = (calibration.auc, calibration.reliable) if calibration else (None, True)
        rows.append(_Row(f"{metric.korean} · {metric.name}", area, reliable))
        for kind in metric.contrasts:
            accuracy = calibration.kinds.get(kind) if calibration else None
            rows.append(_of_kind(kind, accuracy.auc if accuracy else None))
    if compared:
        rows.append(_Row("두 카피 비교, 정답률 · comparing", judge.duels, judge.wins_reliably))
    return rows


def _of_kind(kind: str, area: float | None) -> _Row:
    return _Row(kind_name(kind)[0], area, area is None or is_reliable(area))


def _calibration_panel(axes: Axes, rows: list[_Row]) -> None:
    axes.axvline(FLOOR, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    for place, row in enumerate(rows):
        area = row.area
        if isinstance(area, Interval):
            _estimate(axes, place, area, INK if row.reliable else ACCENT)
            axes.axhline(place - 0.5, color=SOFT, linewidth=0.5)
        elif area is not None:
            colour = SOFT if row.reliable else ACCENT
            axes.scatter([area], [place], s=26, color=colour, zorder=3)
            text = axes.annotate(f"{area:.2f}", (area, place), xytext=(7, -4), textcoords="offset points", fontsize=9.5)
            text.set_bbox({"facecolor": GROUND, "linewidth": 0, "pad": 0.5})  # the floor does not cross it
    axes.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=10)
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.set_xlabel(f"AUC, 0.5 = 동전 던지기 · chance, 점선 · floor {FLOOR}", fontsize=9.5)
    axes.grid(axis="y", visible=False)


def pairwise(report: Report) -> bytes:
    """`evaluation/duels.png`: a block a judge, systems by rating; how often the row's line beats the column's, ties
    half, and the rating with its interval."""
    systems = len(report.systems)
    with style():
        height = len(report.judgements) * (1.0 + 0.5 * systems)
        figure = Figure(figsize=(max(_WIDTH, 4.2 + 0.45 * systems), height), layout="constrained")
        panels = figure.subplots(
            len(report.judgements), 2, squeeze=False, width_ratios=(0.45 * systems, 1.8), sharey="row"
        )
        for (matrix, ratings), judgement in zip(panels, report.judgements, strict=True):
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
    matrix.set_yticks(range(len(order)), [_wrapped(name) for name in order])
    matrix.set_xticks(range(len(order)), [str(place) for place in range(1, len(order) + 1)])
    matrix.tick_params(axis="both", labelsize=10, length=0)
    matrix.tick_params(axis="y", pad=22)  # room for the system's number
    matrix.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    unreliable = _mark(judgement.judge.compares_reliably)
    title = f"{_wrapped(judgement.judge.name, 40)}{unreliable}\n행이 열을 이긴 비율, % · row beats column"
    matrix.set_title(title, fontsize=10, linespacing=1.4)
    matrix.grid(visible=False)
    for row, name in enumerate(order):
        rating = judgement.ratings[name]
        ratings.plot([rating.low, rating.high], [row, row], color=INK, linewidth=2.5, solid_capstyle="round")
        ratings.scatter([rating.value], [row], s=40, color=INK, zorder=3)
    ratings.axvline(0, color=SOFT, linewidth=0.8)
    ratings.set_title(f"레이팅 · rating{'' if judgement.judge.compares_reliably else ' †'}", fontsize=10)
    ratings.set_xlabel("로그 오즈 · log-odds", fontsize=9.5)
    ratings.tick_params(axis="y", length=0, labelleft=False)
    ratings.grid(axis="y", visible=False)


def _estimate(axes: Axes, row: float, estimate: Interval, colour: str) -> None:
    axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=4, solid_capstyle="round")
    axes.scatter([estimate.value], [row], s=60, color=colour, edgecolors=GROUND, linewidths=1.5, zorder=3)
    _value(axes, row, estimate.value)


def _value(axes: Axes, row: float, value: float) -> None:
    axes.annotate(f"{value:.2f}", (value, row), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9.5)


def _mark(reliable: bool) -> str:
    return "" if reliable else "  † 신뢰도 낮음 · unreliable"


def _wrapped(name: str, width: int = 22) -> str:
    """A long name in up to three lines."""
    return textwrap.fill(" ".join(name.split()), width, max_lines=3, placeholder="…")
