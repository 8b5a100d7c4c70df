"""The gate: what passes a threshold is as usable as asked, and nothing passes on the word of a bad judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_card.judging.facts import Calibration, KindAccuracy
from model_card.judging.sense.gate import LEAST, best_precision, make_gate, threshold
from model_card.statistics import Interval

ROW = {"product": "우산", "values": ["든든한"], "ad_copy": "비보다 먼저 펴지는 마음"}


def calibration(auc: float) -> Calibration:
    interval = Interval(auc, auc, auc)
    return Calibration(1.0, 0.0, interval, interval, {"model_made": KindAccuracy(auc, auc, 50)}, 60, auc >= 0.75)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), max_size=60), st.floats(0.1, 1))
def test_the_threshold_is_the_lowest_that_is_precise_enough(read, precision):
    chances, usable = np.array([one for one, _ in read]), np.array([two for _, two in read], dtype=bool)
    right = [
        value
        for value in set(chances)
        if (chances >= value).sum() >= LEAST and usable[chances >= value].mean() >= precision
    ]
    assert threshold(chances, usable, precision) == (min(right) if right else None)


def test_a_sure_judge_opens_the_gate():
    chances, usable = np.linspace(0, 1, 100), np.arange(100) >= 60
    gate = make_gate("judge", calibration(0.9), chances, usable, 0.8, lambda rows: [0.0] * len(rows))
    assert gate.threshold is not None and usable[chances >= gate.threshold].mean() >= 0.8
    assert gate.p_usable([ROW]) == [0.5] and gate.p_usable([]) == []
    assert "of the" in gate.why


def test_an_unreliable_judge_opens_nothing_however_precise_it_seems():
    chances, usable = np.linspace(0, 1, 100), np.arange(100) >= 60
    gate = make_gate("judge", calibration(0.7), chances, usable, 0.8, lambda rows: [])
    assert gate.threshold is None and "unreliable" in gate.why


def test_where_no_threshold_is_precise_enough_the_best_one_is_told():
    chances, usable = np.linspace(0, 1, 100), np.arange(100) % 4 == 0
    gate = make_gate("judge", calibration(0.9), chances, usable, 0.8, lambda rows: [])
    assert gate.threshold is None
    assert f"{best_precision(chances, usable):.2f}" in gate.why


@pytest.mark.parametrize("usable", [[], [True] * (LEAST - 1)])
def test_few_lines_say_nothing(usable):
    assert threshold(np.linspace(0, 1, len(usable)), np.array(usable, dtype=bool), 0.5) is None
