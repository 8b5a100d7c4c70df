"""Rarity by hand, on a corpus of three lines."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.likelihood.rarity import Rarity

#: 가나 and 나다 stand in two lines, 라마 in one.
CORPUS = ["가나다", "가나 라마", "나다 나다"]
RARITY = Rarity(CORPUS)


@pytest.mark.parametrize(
    ("line", "known", "wanted"),
    [
        ("가나", [], log(4 / 3)),
        ("라마", [], log(4 / 2)),
        ("바사", [], log(4 / 1)),
        ("나다", [], log(4 / 3)),  # twice in one line is one line
        ("라마 바사", [], (log(4 / 2) + log(4 / 1)) / 2),
        ("가나다 바사", [], (2 * log(4 / 3) + log(4)) / 3),
        ("바사바사", [], log(4)),  # 바사, 사바, 바사
        ("가나 라마", ["가나"], log(4 / 2) / 2),  # what the pair says is nothing new, and counts among the letters
        ("물바사", ["바사기", "조용한"], log(4) / 2),  # also as part of a longer word
        ("물바사", ["조용한", "바사"], log(4) / 2),
        ("바사", ["바", "사"], log(4)),  # no pair crosses product and values
        ("바사", ["바 사"], log(4)),
        ("바사", ["바사"], 0.0),
        ("바 사", [], 0.0),  # nor words of the line
        ("가", [], 0.0),
        ("", [], 0.0),
        ("   ", ["바사"], 0.0),
    ],
)
def test_by_hand(line, known, wanted):
    assert RARITY.of(line, known) == pytest.approx(wanted, abs=1e-12)


def test_pairs_of_the_corpus_do_not_cross_words():
    assert Rarity(["가 나"]).of("가나", []) == pytest.approx(log(2))


def test_what_every_line_says_is_worth_nothing():
    assert Rarity(["지금 바로", "바로 그때", "오늘 바로"]).of("바로", []) == 0


def test_without_a_corpus_nothing_is_rare():
    assert Rarity([]).of("처음 보는 말", []) == 0


words = st.text("가나다라마바사", min_size=0, max_size=4)


@given(st.lists(words, max_size=6), st.lists(words, max_size=2), st.randoms(use_true_random=False))
def test_the_order_of_words_changes_nothing(line, known, random):
    mixed = random.sample(line, len(line))
    assert RARITY.of(" ".join(mixed), known) == pytest.approx(RARITY.of(" ".join(line), known))


@given(st.text(max_size=20), st.lists(st.text(max_size=6), max_size=3))
def test_any_text_lies_between_nothing_and_what_no_line_says(line, known):
    assert 0 <= RARITY.of(line, known) <= log(4) + 1e-12
    assert RARITY.of(line, [*known, line]) == 0
