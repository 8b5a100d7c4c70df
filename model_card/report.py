"""The files of an evaluation: `evaluation/report.json`, `report.md` and `scores.png`."""

from __future__ import annotations

from model_card.card import FIGURE, REPORT, environment
from model_card.facts import Report
from model_card.figures import scores

DATA = "evaluation/report.json"


def markdown(report: Report) -> str:
    """`evaluation/report.md`: summary, calibration, every line of every system."""
    return environment().get_template("report.md.jinja").render(report=report)


def files(report: Report) -> dict[str, bytes]:
    """Path in the repo -> content, of all that an evaluation commits beside the README."""
    return {DATA: report.to_json().encode(), REPORT: markdown(report).encode(), FIGURE: scores(report)}
