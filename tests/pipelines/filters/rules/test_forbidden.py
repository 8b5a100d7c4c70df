"""What nobody may advertise is found, and what is only called so is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.corpus import load_corpus
from pipelines.filters.rules.forbidden import WORDS, forbidden
from pipelines.filters.word_lists import load_words
from pipelines.slogans import load_slogans

ENTRIES = load_words(WORDS)


@pytest.mark.parametrize(("kind", "product"), [(entry.kind, name) for entry in ENTRIES for name in entry.examples])
def test_examples_are_found(kind, product):
    found = forbidden(product, ["여유"])
    assert found is not None and found[0] == kind


@pytest.mark.parametrize("product", [name for entry in ENTRIES for name in (*entry.clean, *entry.fine)])
def test_what_is_only_called_so_stays(product):
    assert forbidden(product, ["여유"]) is None


@pytest.mark.parametrize("product", ["담배", "전자담배", "소주", "복권", "카지노", "전문의약품", "대출"])
def test_what_is_restricted_is_not_refused(product):
    assert forbidden(product, ["여유"]) is None


def test_values_are_read_too_and_signs_are_seen_through():
    assert forbidden("선물 상자", ["설렘", "필로폰"]) == ("illegal", "필로폰")
    assert forbidden("필.로.폰", ["설렘"]) == ("illegal", "필.로.폰")
    assert forbidden("마약!!", ["설렘"]) == ("illegal", "마약")


@pytest.mark.parametrize("rows", [load_corpus(), load_slogans()], ids=["corpus", "slogans"])
def test_no_product_that_is_advertised_is_refused(rows):
    pairs = {(row["product"], tuple(row["values"])) for row in rows}
    assert [pair for pair in pairs if forbidden(*pair)] == []


@given(st.text(), st.lists(st.text()))
def test_it_never_raises(product, values):
    found = forbidden(product, values)
    assert found is None or found[0] in {"illegal", "hate", "sexual"}
