"""Our TF-IDF is scikit-learn's."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from model_card.judging.sense.bags import Bags, Vocabulary, letter_runs, normalised

BAGS = st.lists(st.lists(st.sampled_from("가나다라마바사"), max_size=8), min_size=2, max_size=8)


@given(BAGS, st.lists(st.sampled_from("가나다라마바사아"), max_size=8), st.booleans())
def test_cosines_are_those_of_its_vectors(bags, asked, sublinear):
    vocabulary = Vocabulary.of(bags, sublinear=sublinear)
    if not vocabulary.terms:
        return
    theirs = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=sublinear).fit(bags)
    expected = (theirs.transform(bags) @ theirs.transform([asked]).T).toarray()[:, 0]
    assert Bags.of(vocabulary, bags).cosines(asked) == pytest.approx(expected)


@given(st.text("가나 a!\t", max_size=12))
def test_runs_of_letters_are_those_of_its_analyzer(text):
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).build_analyzer()
    assert Counter(letter_runs(text)) == Counter(theirs(text))


def test_texts_stand_in_a_space_as_their_terms_do():
    bags = Bags.of(Vocabulary.of([["가", "나"], ["가"], ["나", "나"]], sublinear=False), [["가", "나"], [], ["나"]])
    space = np.array([[1.0, 0.0], [0.0, 1.0]])
    expected = normalised(np.array([bags.vocabulary.idf, [0.0, 0.0], [0.0, 1.0]]))
    assert bags.project(space) == pytest.approx(expected)
    assert bags.texts_with(1).tolist() == [0, 2] and bags.totals.tolist() == [1, 2]
