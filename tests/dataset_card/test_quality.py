from __future__ import annotations

from math import log

import pytest

from dataset_card.diversity import Diversity
from dataset_card.diversity import measure as measure_diversity
from dataset_card.quality import Lengths, Quality, Score, coverage, measure
from pipelines.planning.taxonomy import load_craft, load_taxonomy
from pipelines.rows import make_row
from tests.dataset_card.rows import release
from tests.limits import LIMITS

ROWS = [
    make_row("의자", ["여유", "설렘"], "봄이 왔다", category="가구", device="pun"),
    make_row("의자", ["여유"], "‘여유’가 왔다’", category="가구", device="contrast"),
    make_row("우산", ["여유"], "우산이 왔다", category="가방", device="pun"),
    make_row("수납장", ["빠른"], "더 빨라진 하루", category="손으로 쓴 범주"),
]


def counted(names, **counts):
    return {name: counts.get(name, 0) for name in names}


def test_measures_exactly_this():
    found = measure(ROWS, LIMITS, lines=4, seed=0)
    assert isinstance(found.diversity, Diversity)
    assert found == Quality(
        rows=4,
        products=3,
        values=3,
        categories=counted([category.name for category in load_taxonomy()], 가구=2, 가방=1),
        devices=counted(load_craft().devices, pun=2, contrast=1),
        category_coverage=pytest.approx((2 / 3 * log(3 / 2) + 1 / 3 * log(3)) / log(64)),
        device_coverage=pytest.approx((2 / 3 * log(3 / 2) + 1 / 3 * log(3)) / log(len(load_craft().devices))),
        lengths=Lengths(mean=7.0, p5=5, p50=6, p95=9),
        product_verbatim=0.25,
        value_verbatim=0.25,
        stray_quotes=0.25,
        leaks={"product": 0.25, "part": 0.0, "value": 0.25, "stem": 0.25},
        diversity=found.diversity,
        scores={},
    )


def test_a_part_of_the_product_is_a_leak_of_its_own():
    rows = [make_row("알람 시계", ["여유"], line) for line in ("시계가 왔다", "봄이 왔다")]
    assert measure(rows, LIMITS, lines=2, seed=0).leaks == {"product": 0.0, "part": 0.5, "value": 0.0, "stem": 0.0}


def test_samples_are_as_large_as_was_said_and_blind_to_order():
    kept, rejected = release()
    rows = [*kept, *rejected]
    found = measure(rows, LIMITS, lines=5, seed=1)
    assert (found.rows, found.diversity.lines, found.diversity.near_lines) == (10, 5, 5)
    assert measure(rows[::-1], LIMITS, lines=5, seed=1) == found
    assert measure(rows, LIMITS, lines=5, seed=2).diversity != found.diversity
    everything = measure(rows, LIMITS, lines=10, seed=1).diversity
    assert everything.near_duplicates == pytest.approx(0.1)  # 발이 먼저 퇴근했다, and again with an exclamation mark


def test_diversity_is_of_the_lines():
    rows = [make_row("의자", ["여유"], "봄이 왔다")]
    assert measure(rows, LIMITS, lines=1, seed=0).diversity == measure_diversity(["봄이 왔다"], 0.8)


def test_scores_are_of_the_rows_that_have_one():
    scores = [{"pv": 0.4, "naturalness": None, "creativity": None}, None, {"pv": 0.6}, {"pv": 1.0}]
    rows = [
        row | {"scores": {"naturalness": None, "creativity": None, **found} if found else None}
        for row, found in zip(ROWS, scores, strict=True)
    ]
    found = measure(rows, LIMITS, lines=4, seed=0).scores
    margin = 1.96 * (0.28 / 3) ** 0.5 / 3**0.5
    bins = tuple(int(place in (8, 12, 19)) for place in range(20))
    assert found == {"pv": Score(3, pytest.approx(2 / 3), pytest.approx(2 / 3 - margin), 1.0, bins)}


def test_rows_of_an_older_version_may_lack_a_metric():
    rows = [ROWS[0] | {"scores": {"pv": 0.5}}, ROWS[1] | {"scores": {"pv": 0.5, "creativity": 0.25}}]
    found = measure(rows, LIMITS, lines=2, seed=0).scores
    assert {name: (score.rows, score.mean) for name, score in found.items()} == {
        "pv": (2, 0.5),
        "creativity": (1, 0.25),
    }


def test_one_score_is_its_own_interval():
    rows = [ROWS[0] | {"scores": {"pv": 0.5, "naturalness": 0.0, "creativity": None}}]
    found = measure(rows, LIMITS, lines=1, seed=0).scores
    assert (found["pv"].low, found["pv"].mean, found["pv"].high) == (0.5, 0.5, 0.5)
    assert set(found) == {"pv", "naturalness"}


def test_coverage_is_even_or_not():
    assert coverage({"가": 3, "나": 3}) == 1.0
    assert coverage({"가": 3, "나": 0}) == 0.0
    assert coverage({"가": 1, "나": 1, "다": 0, "라": 0}) == pytest.approx(0.5)
    assert coverage({"가": 0, "나": 0}) is None


def test_rows_without_category_and_device_have_no_coverage():
    found = measure([make_row("의자", ["여유"], "봄이 왔다")], LIMITS, lines=1, seed=0)
    assert found.category_coverage is None and found.device_coverage is None


def test_rows_without_product_or_value_leak_nothing():
    rows = [make_row("", [], "봄이 왔다"), make_row("의자", [""], "봄이 왔다")]
    found = measure(rows, LIMITS, lines=2, seed=0)
    assert set(found.leaks.values()) == {0.0} and found.product_verbatim == 0.0 == found.value_verbatim


def test_nothing_cannot_be_measured():
    with pytest.raises(ValueError, match="no rows to measure"):
        measure([], LIMITS, lines=0, seed=0)
