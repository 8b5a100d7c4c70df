from __future__ import annotations

from math import log

import pytest

from pipelines.planning.coverage import Coverage, coverage, evenness
from pipelines.planning.taxonomy import KINDS, Category, Group
from tests.pipelines.planning.categories import one_group

TAXONOMY = tuple(
    one_group(name, (f"{name}1", f"{name}2"), {kind: (f"{kind}1",) for kind in KINDS}) for name in ("가", "나", "다")
)


def pair(product, *values, device="pun", tone="warm"):
    return {"product": product, "category": product[0], "values": list(values), "device": device, "tone": tone}


def test_counts_and_entropies():
    pairs = [
        pair("가1", "functional1"),
        pair("가2", "functional1", "social1", tone="calm"),
        pair("나1", "social1", device="question"),
        pair("나1", "emotional1", tone="calm"),
    ]
    found = coverage(pairs, TAXONOMY)
    assert vars(found) | {"kind_entropy": None} == vars(
        Coverage(
            pairs=4,
            products=3,
            values=3,
            categories=2,
            category_entropy=round(log(2) / log(3), 4),
            kind_entropy=None,
            device_entropy=round((0.75 * log(4 / 3) + 0.25 * log(4)) / log(2), 4),
            tone_entropy=1.0,
        )
    )
    assert found.kind_entropy == pytest.approx((2 * 0.4 * log(2.5) + 0.2 * log(5)) / log(5), abs=1e-4)


def test_a_value_has_the_kind_that_it_has_in_the_group_of_its_product():
    other = Group("다른 것", ("가3",), {"social": ("functional1",), "emotional": ("새말",)})
    category = Category("가", (*TAXONOMY[0].groups, other))
    assert coverage([pair("가3", "functional1"), pair("가3", "새말")], [category]).kind_entropy == round(
        log(2) / log(5), 4
    )


def test_no_pairs_cover_nothing():
    assert set(vars(coverage([], TAXONOMY)).values()) == {0}


@pytest.mark.parametrize(
    ("counts", "names", "even"),
    [({"a": 5, "b": 5}, 2, 1.0), ({"a": 5, "b": 5}, 4, 0.5), ({"a": 7}, 3, 0.0), ({}, 3, 0.0), ({"a": 7}, 1, 0.0)],
)
def test_evenness(counts, names, even):
    assert evenness(counts, names) == even
