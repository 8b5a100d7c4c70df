"""Figures of the card as PNG bytes. Hangul in NanumGothic; an own light ground, so that they read on dark pages too."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_card.facts import METRICS, HeldOut, Report
from pipelines.fonts import hangul_font

_INK, _SOFT, _GROUND, _ACCENT = "#1f2933", "#8895a3", "#fbfaf7", "#d9480f"
_COLOURS = ("#8895a3", _ACCENT, "#1c7ed6", "#2b8a3e", "#862e9c", "#e8590c")


@contextmanager
def _style() -> Iterator[None]:
    """Our type and colours, for as long as a figure is made and saved."""
    style = {
        "font.family": hangul_font(),
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.unicode_minus": False,
        "axes.facecolor": _GROUND,
        "axes.edgecolor": _SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e6e3dc",
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "ytick.major.size": 0,
        "figure.facecolor": _GROUND,
        "figure.dpi": 200,  # 6.4 in wide -> 1,280 px: sharp on a phone
        "savefig.dpi": "figure",
    }
    with matplotlib.rc_context(style):
        yield


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def training_curve(steps: Sequence[Mapping[str, Any]], held_out: HeldOut | None) -> bytes:
    """`training/curve.png`: training loss by optimiser step, with the held-out loss before and after.

    Args:
        steps: `{"step": int, "loss": float}` each, loss in nats per completion token.
    """
    with _style():
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.plot([s["step"] for s in steps], [s["loss"] for s in steps], color=_ACCENT, linewidth=2)
        axes.set_title("카피 토큰당 손실 · loss per completion token (nat)")
        axes.set_xlabel("스텝 · step")
        if held_out:  # the curve falls from upper left to lower right: the free corners are the other two
            _level(axes, f"검증 · held-out, base {held_out.base:.2f}", held_out.base, right=True)
            _level(axes, f"검증 · held-out, adapter {held_out.adapter:.2f}", held_out.adapter, right=False)
        axes.margins(x=0.02, y=0.14)
        return _png(figure)


def _level(axes: Axes, label: str, loss: float, right: bool) -> None:
    """A dashed line across the panel with its label above it."""
    axes.axhline(loss, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        label,
        (1.0 if right else 0.02, loss),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right" if right else "left",
    )


def scores(report: Report) -> bytes:
    """`evaluation/scores.png`: a panel a metric, each system's mean with its 95 % interval over its lines' scores."""
    systems = report.systems
    with _style():
        figure = Figure(figsize=(6.4, 0.7 + len(METRICS) * (0.6 + 0.5 * len(systems))), layout="constrained")
        panels = figure.subplots(len(METRICS), 1, sharex=True)
        for axes, metric in zip(panels, METRICS, strict=True):
            _panel(axes, report, metric)
        panels[-1].set_xlabel("점수, 높을수록 좋음 · score, higher is better")
        return _png(figure)


def _panel(axes: Axes, report: Report, metric: str) -> None:
    korean, english = METRICS[metric]
    trust = "" if report.calibration[metric].reliable else "  † 신뢰도 낮음 · unreliable"
    axes.set_title(f"{korean} · {english}{trust}")
    for row, system in enumerate(report.systems):
        colour, mean = _COLOURS[row % len(_COLOURS)], system.means[metric]
        points = [line.scores[metric] for line in system.lines]
        axes.scatter(points, [row] * len(points), s=24, color=colour, alpha=0.3, linewidths=0)
        axes.plot([mean.low, mean.high], [row, row], color=colour, linewidth=4, solid_capstyle="round")
        axes.scatter([mean.value], [row], s=70, color=colour, edgecolors=_GROUND, linewidths=1.5, zorder=3)
        axes.annotate(f"{mean.value:.2f}", (mean.value, row), xytext=(0, 8), textcoords="offset points", ha="center")
    axes.set_yticks(range(len(report.systems)), [system.name for system in report.systems])
    axes.set_ylim(len(report.systems) - 0.6, -0.8)  # the first system on top
    axes.set_xlim(-0.02, 1.02)
    axes.grid(axis="y", visible=False)
