"""The style of the card's figures, and the learning curve, as PNG bytes.

Hangul in NanumGothic; an own light ground, so that they read on dark pages too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_card.statistics import Interval
from pipelines.text.fonts import hangul_font

#: Inches of a figure of one column: 1,280 px, sharp on a phone.
WIDTH = 6.4
INK, SOFT, GROUND, ACCENT = "#1f2933", "#8895a3", "#fbfaf7", "#d9480f"
COLOURS = ("#8895a3", ACCENT, "#1c7ed6", "#2b8a3e", "#862e9c", "#0b7285")


@contextmanager
def style() -> Iterator[None]:
    """Our type and colours, for as long as a figure is made and saved."""
    settings = {
        "font.family": hangul_font(),
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.unicode_minus": False,
        "text.parse_math": False,  # a dollar in a name is a dollar
        "axes.facecolor": GROUND,
        "axes.edgecolor": SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e6e3dc",
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "ytick.major.size": 0,
        "figure.facecolor": GROUND,
        "figure.dpi": 200,
        "savefig.dpi": "figure",
    }
    with matplotlib.rc_context(settings):
        yield


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def estimate(axes: Axes, row: float, found: Interval, colour: str) -> None:
    """A value with its interval, as a point on a bar."""
    axes.plot([found.low, found.high], [row, row], color=colour, linewidth=4, solid_capstyle="round")
    axes.scatter([found.value], [row], s=60, color=colour, edgecolors=GROUND, linewidths=1.5, zorder=3)


def training_curve(curve: Mapping[str, Any]) -> bytes:
    """`training/curve.png`: training loss by optimiser step, with the held-out loss after each epoch.

    Args:
        curve: `training/curve.json`: `steps` and `held_out_steps` of {step, loss}, `best_step`, `held_out` (its `base`
            is drawn as a level where losses are those of lines: nats per completion token, not DPO's).
    """
    held_out, measured = curve.get("held_out"), curve.get("held_out_steps") or []
    preferences = bool(held_out and "start" in held_out) or bool(curve.get("preferences"))
    with style():
        figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.plot(*_line(curve["steps"]), color=ACCENT, linewidth=2)
        axes.set_title("DPO 손실 · DPO loss" if preferences else "카피 토큰당 손실 · loss per completion token (nat)")
        axes.set_xlabel("스텝 · step")
        if held_out and not preferences:  # the curve falls from upper left to lower right: the other corners are free
            _level(axes, f"검증 · held-out, base {held_out['base']:.2f}", held_out["base"])
        if measured:
            axes.plot(*_line(measured), color=INK, linewidth=1.2, marker="o", markersize=5)
            kept = next((point for point in measured if point["step"] == curve.get("best_step")), measured[-1])
            axes.plot(kept["step"], kept["loss"], color=INK, marker="o", markersize=9)
            axes.annotate(
                f"검증 · held-out {kept['loss']:.2f}",
                (kept["step"], kept["loss"]),
                xytext=(0, 56),  # above both curves, which are low here
                textcoords="offset points",
                ha="right",
                arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 1},
            )
        axes.margins(x=0.02, y=0.14)
        return png(figure)


def _line(points: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[float]]:
    return [point["step"] for point in points], [point["loss"] for point in points]


def _level(axes: Axes, label: str, loss: float) -> None:
    """A dashed line across the panel with its label above its right end."""
    axes.axhline(loss, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        label,
        (1.0, loss),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
    )
