"""Usual lines are told from words that nobody has put together."""

from __future__ import annotations

import numpy as np

from model_card.judging.sense.fit_kinship import fit_kinship
from model_card.judging.sense.usage import Usage
from tests.model_card.judging.sense.test_kinship import CORPUS

USAGE = Usage(fit_kinship(CORPUS))


def of(product: str, line: str) -> np.ndarray:
    [found] = USAGE.features([{"product": product, "values": ["든든한"], "ad_copy": line}])
    return found


def test_words_of_line_and_pair_that_stand_together_say_so():
    own, other = of("우산", "비가 와도 어깨가 보송해요"), of("커피", "비가 와도 어깨가 보송해요")
    assert own.shape == (14,) and own[0] > other[0]


def test_words_that_never_stood_together_say_so():
    assert of("우산", "비가 와도 어깨가")[3] > of("우산", "비가 뜨거운 물")[3]


def test_letters_that_never_followed_each_other_are_unlikely():
    usual, odd = of("우산", "뜨거운 물을 부으면"), of("우산", "거뜨운 을물 면부으")
    assert usual[4] > odd[4] and usual[7] > odd[7]


def test_a_line_without_letters_has_finite_features():
    assert np.isfinite(of("우산", "")).all() and np.isfinite(of("우산", "?!")).all()
