"""Figures as pictures: sharp, with every glyph, and of all that the report says."""

import struct
import warnings
from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib.text import Text

from model_card.cards import calibration_figure, evaluation_figures, training_curve
from model_card.cards.views import has_pairwise, has_scores
from tests.model_card.cards.facts import JUDGE, REPORT, around, calibration, wide_report

OF_SENSE = replace(JUDGE, name="sense", calibration={"sense": calibration(0.8, "sense")})
POOR = replace(JUDGE, name="coin", calibration={metric: calibration(0.5, metric) for metric in JUDGE.calibration})
COMPARING = replace(JUDGE, name="gpt-4o at api.openai.com", duels=around(0.9, 0.03), contradictions=0.08)
NAMES = [
    "base, 4 examples",
    "hanjul-team/hanjul-polyglot-ko-1.3b-lora",
    "$x_1$ {",
    "한국어로 길게 쓴 시스템 이름",
    "adapter",
]


@pytest.fixture(autouse=True)
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # matplotlib warns of a missing glyph, and of a layout without room
        yield


def size(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_the_curve_has_what_was_measured():
    curve = training_curve.training_curve(
        {
            "steps": [{"step": 1, "loss": 4.0}, {"step": 2, "loss": 2.5}],
            "held_out_steps": [{"step": 2, "loss": 2.6}],
            "held_out": {"base": 4.2, "adapter": 2.6, "tokens": 99},
            "best_step": 2,
        }
    )
    bare = training_curve.training_curve({"steps": [{"step": 1, "loss": 4.0}]})
    assert size(curve) == size(bare) == (1280, 760)
    assert curve != bare


def test_scores_have_a_panel_for_each_metric_that_a_judge_can_be_trusted_with():
    few, many = (evaluation_figures.scores(report) for report in (REPORT, wide_report(NAMES, [JUDGE])))
    assert size(few)[0] == size(many)[0] == 1280
    assert size(many)[1] - size(few)[1] == pytest.approx(2 * 3 * 0.44 * 200, abs=2)  # three rows more in two panels
    both = evaluation_figures.scores(wide_report(NAMES, [JUDGE, COMPARING]))
    assert size(both) == size(many)  # each metric once, by the judge that leads


def test_a_metric_that_only_another_judge_scores_has_its_own_panel():
    alone, two = (evaluation_figures.scores(wide_report(NAMES, judges)) for judges in ([JUDGE], [OF_SENSE, JUDGE]))
    assert size(two)[0] == size(alone)[0]
    # The reference project published no Sense, so that panel has our systems alone.
    assert size(two)[1] - size(alone)[1] == pytest.approx((0.75 + 0.44 * len(NAMES)) * 200, abs=2)


@pytest.mark.field
def test_an_unreliable_judge_is_in_no_figure_of_scores_and_no_figure_of_comparisons():
    of_sense = wide_report(NAMES, [OF_SENSE])
    beside = wide_report(NAMES, [POOR, OF_SENSE])
    assert evaluation_figures.scores(beside) == evaluation_figures.scores(of_sense)
    assert evaluation_figures.pairwise(beside) == evaluation_figures.pairwise(of_sense)
    assert not has_scores(wide_report(NAMES, [POOR])) and not has_pairwise(wide_report(NAMES, [POOR]))


def test_calibration_has_a_row_for_comparing_where_a_judge_compares():
    scoring, comparing = (calibration_figure.calibration([judge]) for judge in (JUDGE, COMPARING))
    assert size(comparing)[1] - size(scoring)[1] == pytest.approx(0.32 * 200, abs=2)


@pytest.mark.field
def test_calibration_has_no_row_for_what_a_judge_does_not_score():
    """And its numbers stand outside the panel, where nothing crosses them."""
    one, two = (calibration_figure.calibration(judges) for judges in ([JUDGE], [JUDGE, OF_SENSE]))
    assert size(two)[0] == size(one)[0] == 1280
    assert size(two)[1] - size(one)[1] == pytest.approx((0.55 + 2 * 0.32) * 200, abs=2)  # Sense has one kind


@pytest.mark.field
@pytest.mark.parametrize("names", [["adapter"], NAMES], ids=["one", "many"])
@pytest.mark.parametrize("judges", [[JUDGE], [replace(COMPARING, name="gpt-4o-mini at " + "긴 이름 " * 20), POOR]])
def test_labels_lie_apart_and_within_the_picture(names, judges, monkeypatch):
    """Of one system and of several, with long names, by reliable judges and others."""
    drawn, draw = {}, Text.draw

    def noted(text, renderer):
        if text.get_visible() and text.get_text():
            drawn.setdefault(text.figure, {})[text] = text.get_window_extent(renderer)
        draw(text, renderer)

    monkeypatch.setattr(Text, "draw", noted)
    report = wide_report(names, judges)
    calibration_figure.calibration(judges)
    evaluation_figures.scores(report)
    if has_pairwise(report):
        evaluation_figures.pairwise(report)
    assert len(drawn) == 2 + has_pairwise(report)
    assert "0.5" in {text.get_text() for text in next(iter(drawn.values()))}  # chance, on the axis of the calibration
    for figure, found in drawn.items():
        for text, box in found.items():
            assert figure.bbox.x0 - 1 <= box.x0 and box.x1 <= figure.bbox.x1 + 1, text
        crossing = [pair for pair in combinations(found, 2) if overlap(*(found[text] for text in pair)) > 0.15]
        assert not crossing


def overlap(one, other):
    """Share of the smaller box that lies on the other one."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(width, 0) * max(height, 0) / smaller if smaller else 0.0


def test_pairwise_comparisons_have_a_block_a_judge():
    one = evaluation_figures.pairwise(wide_report(NAMES, [JUDGE]))
    two = evaluation_figures.pairwise(wide_report(NAMES, [JUDGE, COMPARING]))
    assert size(two)[0] == size(one)[0] and size(two)[1] == 2 * size(one)[1]
