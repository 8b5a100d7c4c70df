"""The figure that says how far judges can be trusted, as PNG bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from model_card.cards.evaluation_figures import wrapped
from model_card.cards.training_curve import ACCENT, INK, SOFT, WIDTH, estimate, png, style
from model_card.cards.views import interval, kind_name
from model_card.judging.facts import FLOOR, JudgeFacts, is_reliable
from model_card.statistics import Interval

_ROW = 0.32  # inches


@dataclass(frozen=True)
class _Row:
    """A row of the calibration.

    Attributes:
        area: AUC; with an interval for a metric or for comparing two lines, without one for a kind of bad line.
    """

    label: str
    area: Interval | float
    reliable: bool

    @property
    def low(self) -> float:
        """The least that is drawn."""
        return self.area.low if isinstance(self.area, Interval) else self.area


def calibration(judges: Sequence[JudgeFacts]) -> bytes:
    """`calibration.png`: a panel for each judge; AUC by metric with its interval, and by kind of bad line.

    Numbers stand in a column of their own, right of the panel, where no mark and no line can cross them.
    """
    panels = [_rows(judge) for judge in judges]
    titles = [0.3 + 0.25 * len(_name(judge).splitlines()) for judge in judges]
    left = min(0.45, *(row.low - 0.04 for rows in panels for row in rows))
    with style():
        figure = Figure(figsize=(WIDTH, 0.6 + sum(titles) + _ROW * sum(map(len, panels))), layout="constrained")
        ratios = [len(rows) + 0.2 for rows in panels]
        every = figure.subplots(len(judges), sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, judge, rows in zip(every, judges, panels, strict=True):
            _panel(axes, rows)
            axes.set_title(_name(judge))
            axes.set_xlim(left, 1.02)
        every[-1].xaxis.set_major_locator(MultipleLocator(0.1))  # 0.5 among them, which the label speaks of
        every[-1].set_xlabel(f"AUC, 0.5 = 동전 던지기 · chance, 점선 · floor {FLOOR}", fontsize=9.5)
        return png(figure)


def _name(judge: JudgeFacts) -> str:
    return wrapped(judge.name, 40, 2)


def _rows(judge: JudgeFacts) -> list[_Row]:
    rows = []
    for metric in judge.metrics:
        found = judge.calibration[metric.key]
        rows.append(_Row(f"{metric.korean} · {metric.name}", found.auc, found.reliable))
        rows += [_Row(kind_name(kind)[0], of.auc, is_reliable(of.auc)) for kind, of in found.kinds.items()]
    if judge.duels:
        rows.append(_Row("두 카피 비교, 정답률 · comparing", judge.duels, judge.wins_reliably))
    return rows


def _panel(axes: Axes, rows: Sequence[_Row]) -> None:
    axes.axvline(FLOOR, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    for place, row in enumerate(rows):
        if isinstance(row.area, Interval):
            estimate(axes, place, row.area, INK if row.reliable else ACCENT)
            text = interval(row.area, 2)
            if place:
                axes.axhline(place - 0.5, color=SOFT, linewidth=0.5)
        else:
            axes.scatter([row.area], [place], s=26, color=SOFT if row.reliable else ACCENT, zorder=3)
            text = f"{row.area:.2f}"
        axes.annotate(
            f"{text}{'' if row.reliable else ' †'}",
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    axes.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=10)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
