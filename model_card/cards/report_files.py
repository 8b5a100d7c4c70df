"""The files of an evaluation, beside the card: report as text and as data, figures, results for the Hub."""

from __future__ import annotations

from model_card.cards.card import CALIBRATION, DATA, LEAST_FOR_PAIRWISE, PAIRWISE, REPORT, SCORES, environment
from model_card.cards.evaluation_figures import calibration, pairwise, scores
from model_card.cards.hub_results import eval_results
from model_card.comparison.report import Report

EVAL_RESULTS = ".eval_results/hanjul.yaml"


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
        SCORES: scores(report),
        CALIBRATION: calibration([judgement.judge for judgement in report.judgements]),
    }
    return content | ({PAIRWISE: pairwise(report)} if len(report.systems) >= LEAST_FOR_PAIRWISE else {})
