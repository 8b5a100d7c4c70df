from __future__ import annotations

from math import exp, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_card.diversity import Diversity, entropy, measure, near_duplicates, ngrams, self_bleu, vendi

WORDS = st.lists(st.lists(st.sampled_from("가나다라"), max_size=5), min_size=1, max_size=8)


def test_measures_exactly_this():
    # 봄 이 오 었 다 | 우산 이 오 었 다: 10 morphemes of 6 kinds, 8 pairs of 5 kinds, 6 triples of 4 kinds.
    assert measure(["봄이 왔다", "우산이 왔다"], 0.8) == Diversity(
        lines=2,
        near_lines=2,
        bleu_lines=2,
        distinct=(6 / 10, 5 / 8, 4 / 6),
        entropy=pytest.approx((4 * 0.2 * log2(5) + 2 * 0.1 * log2(10), 2.25, 2 / 3 * log2(3) + 2 / 6 * log2(6))),
        # Of 봄이왔다 3, 2, 1, 0 n-grams stand in the other, of 우산이왔다 as many; 0 of k counts as 1/2k.
        self_bleu=pytest.approx(
            50 * (exp(1 - 5 / 4) * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25 + (3 / 5 * 2 / 4 * 1 / 3 * 1 / 4) ** 0.25)
        ),
        bleu_signature="nrefs:1|case:mixed|eff:yes|tok:char|smooth:exp|version:2.6.0",
        # Cosines 4/5 and 3/4, so eigenvalues (1 ± 0.775) / 2.
        vendi=pytest.approx(2 ** -(0.8875 * log2(0.8875) + 0.1125 * log2(0.1125))),
        near_duplicates=0.0,
    )


def test_no_lines_measure_zero():
    nothing = (0.0, 0.0, 0.0)
    assert measure([], 0.8) == Diversity(0, 0, 0, nothing, nothing, 0.0, "", 0.0, 0.0)


def test_ngrams():
    assert ngrams(["가", "나", "다"], 2) == [("가", "나"), ("나", "다")]
    assert ngrams(["가"], 2) == []


def test_entropy_is_in_bits():
    assert entropy({"가": 4, "나": 4}) == 1.0
    assert entropy({"가": 3}) == 0.0 == entropy({})


def test_self_bleu_is_of_each_against_the_others():
    assert self_bleu(["월요일도 반쯤은 금요일"] * 3)[0] == pytest.approx(100)
    assert self_bleu(["하늘빛", "나무꾼", "고드름"])[0] == 0.0
    assert self_bleu(["하늘빛"]) == (0.0, "")


@given(WORDS)
def test_vendi_is_between_one_and_the_number_of_lines(lines):
    assert 1 - 1e-9 <= vendi(lines) <= len(lines) + 1e-9


def test_vendi_counts_different_lines():
    assert vendi([["가", "나"]] * 4) == pytest.approx(1)
    assert vendi([["가"], ["나"], ["다"]]) == pytest.approx(3)
    assert vendi([["가", "나"], ["다", "라"]] * 2) == pytest.approx(2)
    assert vendi([]) == 0.0


@given(st.permutations([["가", "나"], ["가", "다"], ["라"], [], ["나", "가", "나"]]))
def test_vendi_is_blind_to_order(lines):
    assert vendi(lines) == pytest.approx(vendi(sorted(lines)))


def test_near_duplicates_are_those_after_the_first():
    line = "월요일도 반쯤은 금요일"
    assert near_duplicates([line, "전혀 다른 한 줄", f"{line}!", line], 0.8) == 0.5
    assert near_duplicates([line, "전혀 다른 한 줄"], 0.8) == 0.0
    assert near_duplicates([line, "월요일도 반쯤은 토요일"], 0.3) == 0.5
    assert near_duplicates([], 0.8) == 0.0


@given(st.lists(st.text(st.sampled_from("가나다 !"), max_size=6), max_size=12))
def test_near_duplicates_hold_equal_lines(lines):
    texts = {"".join(line.replace("!", "").split()) for line in lines}
    least = 1 - len(texts) / len(lines) if lines else 0.0
    assert least - 1e-9 <= near_duplicates(lines, 0.8) < 1
    assert not np.isnan(near_duplicates(lines, 0.8))
