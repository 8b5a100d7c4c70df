"""The files of an evaluation, beside the card: report as text and as data, figures, results for the Hub."""

from __future__ import annotations

from model_card.cards.calibration_figure import calibration
from model_card.cards.card import CALIBRATION, DATA, PAIRWISE, REPORT, SCORES, environment
from model_card.cards.evaluation_figures import pairwise, scores
from model_card.cards.hub_results import eval_results
from model_card.cards.views import has_pairwise, has_scores
from model_card.comparison.report import Report

EVAL_RESULTS = ".eval_results/hanjul.yaml"
#: What says how well an adapter writes: wrong as soon as it is trained or evaluated again.
OWN = (DATA, REPORT, SCORES, CALIBRATION, PAIRWISE, EVAL_RESULTS)


def markdown(report: Report) -> str:
    """`evaluation/report.md`: summary, calibration, every line of every system by pair, with scores and reasons."""
    return environment().get_template("report.md.jinja").render(report=report)


def files(report: Report, repo_id: str, date: str | None = None) -> dict[str, bytes]:
    """Path in the repo -> content, of all that an evaluation commits beside the README.

    Args:
        repo_id: the repo that they go to; one of the report's systems is its model.
        date: ISO 8601, when it was evaluated; the Hub takes the commit's where there is none.

    Raises:
        ReportError: the report does not judge this repo's model.
    """
    content = {
        EVAL_RESULTS: eval_results(report, repo_id, date).encode(),
        DATA: report.to_json().encode(),
        REPORT: markdown(report).encode(),
        CALIBRATION: calibration([judgement.judge for judgement in report.judgements]),
    }
    if has_scores(report):
        content[SCORES] = scores(report)
    if has_pairwise(report):
        content[PAIRWISE] = pairwise(report)
    return content
