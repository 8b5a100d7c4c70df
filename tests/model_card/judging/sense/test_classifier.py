"""What can be learnt of graded lines is learnt, what cannot is not; no product is judged by its own lines."""

import random

import numpy as np
import pytest

from model_card.judging.graded import GradedLine, is_usable
from model_card.judging.sense.classifier import Features, Sense
from model_card.statistics import auc

WIDTH = 24


def lines(n: int, seed: int, kind: str = "model") -> list[GradedLine]:
    draw = random.Random(seed)
    made = []
    for number in range(n):
        row = {"product": f"상품 {number % 40}", "values": ["든든한"], "ad_copy": f"카피 {seed} {number}"}
        grade = draw.choice("BCDD") if kind == "model" else "A"
        made.append(GradedLine(row, kind, kind, (grade, grade)))
    return made


def features(of: list[GradedLine], signal: float, seed: int = 0) -> Features:
    """Noise, with the grade along one direction of each."""
    noise = np.random.default_rng(seed)
    grades = np.array([[is_usable(line)] for line in of], dtype=float)
    return Features(
        noise.normal(size=(len(of), WIDTH)) + signal * grades * np.eye(WIDTH)[0],
        noise.normal(size=(len(of), 5)) + signal * grades * np.eye(5)[1],
    )


def told(sense: Sense, of: list[GradedLine], found: Features) -> float:
    scores, usable = sense.log_odds(found), np.array([is_usable(line) for line in of])
    return auc(scores[usable], scores[~usable])


def test_lines_that_can_be_told_are_told():
    fit, test = lines(400, 1), lines(200, 2)
    sense = Sense(features(fit, 3.0), fit)
    assert told(sense, test, features(test, 3.0, seed=5)) > 0.9


def test_chances_are_those_of_the_lines():
    fit, test = lines(800, 1), lines(800, 2)
    sense = Sense(features(fit, 2.0), fit)
    chances = 1 / (1 + np.exp(-sense.log_odds(features(test, 2.0, seed=5))))
    assert chances.mean() == pytest.approx(np.mean([is_usable(line) for line in test]), abs=0.05)


def test_noise_learnt_by_heart_is_no_use_on_the_held_out_products():
    fit = lines(400, 1)
    sense = Sense(features(fit, 0.0), fit)
    usable = np.array([is_usable(line) for line in fit])
    assert 0.35 < auc(sense.held_out[usable], sense.held_out[~usable]) < 0.65


def test_written_lines_do_not_outweigh_what_models_wrote():
    fit = lines(400, 1) + lines(400, 3, "written")
    found = features(fit, 2.0)
    style = np.array([[line.kind == "written"] for line in fit], dtype=float)
    found = Features(found.hidden + 3 * style * np.eye(WIDTH)[7], found.kinship)
    test = lines(300, 2)
    assert told(Sense(found, fit), test, features(test, 2.0, seed=5)) > 0.85
