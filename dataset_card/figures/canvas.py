"""Paper, type and bars of the card's pictures. Drawn for a phone: 360 px wide, no letter is smaller than 12 px.

An inch of the figure is 100 px there, so a point is 1.4 px. The paper is opaque: it stands on white and on black.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

PAPER, INK, SOFT, LINE = "#fbfaf7", "#22252b", "#6b675f", "#e3dfd6"
BEFORE, AFTER, LOST = "#b9b1a1", "#1f6f5c", "#c9563c"
WIDTH, DPI = 3.6, 300
TITLE, LABEL, SMALL = 12.5, 10.5, 9.5
#: Height in inches of a bar with its gap, of a pair of bars, and of what stands above a panel.
STEP, PAIR, ABOVE = 0.27, 0.34, 0.46


def paper(*heights: float) -> tuple[Figure, list[Any]]:
    """A figure of panels under one another, of so many inches each."""
    figure = Figure(
        figsize=(WIDTH, sum(heights)), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1), facecolor=PAPER
    )
    panels = np.ravel(figure.subplots(len(heights), 1, height_ratios=heights))
    for axes in panels:
        axes.set_facecolor(PAPER)
        axes.tick_params(colors=INK, labelsize=SMALL, length=0)
        for side in axes.spines.values():
            side.set_visible(False)
    return figure, list(panels)


def head(axes: Any, title: str, note: str = "", *, legend: bool = False) -> None:
    """A title over a panel, a line of smaller type under it, and which colour is before and which is after."""
    corner: dict[str, Any] = {"xycoords": ("figure fraction", "axes fraction"), "textcoords": "offset points"}
    axes.annotate(title, (0.03, 1), xytext=(0, 24 if note else 9), fontsize=TITLE, color=INK, weight="bold", **corner)
    axes.annotate(note, (0.03, 1), xytext=(0, 9), fontsize=SMALL, color=SOFT, **corner)
    if legend:
        for name, colour, shift in (("전", BEFORE, -62), ("후", AFTER, -28)):
            axes.annotate("■", (0.97, 1), xytext=(shift, 24 if note else 9), fontsize=LABEL, color=colour, **corner)
            axes.annotate(name, (0.97, 1), xytext=(shift + 14, 24 if note else 9), fontsize=LABEL, color=INK, **corner)


def names(axes: Any, labels: Sequence[str]) -> None:
    """Names at the left of bars, the first on top, and no scale below."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(axis="y", labelsize=LABEL, colors=INK, length=0)


def beside(axes: Any, text: str, end: float, place: float, colour: str = INK) -> None:
    """Text right of the end of a bar."""
    axes.annotate(
        text, (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=SMALL, color=colour
    )


def pairs(
    axes: Any, labels: Sequence[str], before: Sequence[float], after: Sequence[float], texts: Sequence[str]
) -> None:
    """Two bars a name, the upper one before and the lower one after, with a text beside them."""
    places = np.arange(len(labels))
    axes.barh(places - 0.19, before, height=0.36, color=BEFORE)
    axes.barh(places + 0.19, after, height=0.36, color=AFTER)
    for place, (text, *ends) in enumerate(zip(texts, before, after, strict=True)):
        beside(axes, text, max(ends), place)
    names(axes, labels)
