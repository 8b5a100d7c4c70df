"""Figures as pictures: sharp, with every glyph, and of all that the report says."""

import struct
import warnings
from dataclasses import replace

import pytest

from model_card.cards import evaluation_figures, training_curve
from tests.model_card.cards.facts import JUDGE, REPORT, around, calibration, wide_report

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


def test_scores_grow_with_systems_and_widen_with_judges():
    few, many = (evaluation_figures.scores(report) for report in (REPORT, wide_report(NAMES, [JUDGE])))
    both = evaluation_figures.scores(wide_report(NAMES, [JUDGE, COMPARING]))
    assert size(few)[0] == size(many)[0] == 1280
    assert size(many)[1] - size(few)[1] == pytest.approx(3 * 3 * 0.44 * 200, abs=2)  # three rows more in three panels
    assert size(both)[0] > 2000


def test_judges_of_different_metrics_share_a_column():
    of_sense = replace(JUDGE, name="sense", calibration={"sense": calibration(0.8, "sense")})
    alone, two = (evaluation_figures.scores(wide_report(NAMES, judges)) for judges in ([JUDGE], [of_sense, JUDGE]))
    assert size(two)[0] == size(alone)[0]
    # The reference project published no Sense, so that panel has our systems alone.
    assert size(two)[1] - size(alone)[1] == pytest.approx((3 * 0.25 + 0.75 + 0.44 * len(NAMES)) * 200, abs=2)


def test_calibration_has_a_row_for_comparing_where_a_judge_compares():
    scoring, comparing = (evaluation_figures.calibration([judge]) for judge in (JUDGE, COMPARING))
    both = evaluation_figures.calibration([JUDGE, COMPARING])
    assert size(comparing)[1] > size(scoring)[1]
    assert size(both)[1] == size(comparing)[1]


def test_pairwise_comparisons_have_a_block_a_judge():
    one = evaluation_figures.pairwise(wide_report(NAMES, [JUDGE]))
    two = evaluation_figures.pairwise(wide_report(NAMES, [JUDGE, COMPARING]))
    assert size(two)[0] == size(one)[0] and size(two)[1] == 2 * size(one)[1]
