"""The graded lines: what stands in the file, which part a product is of, and what the two readings agree on."""

from collections import Counter
from typing import get_args

import pytest

from model_card.judging.graded import (
    GRADES,
    GradedLine,
    Kind,
    graded_lines,
    is_unusable,
    is_usable,
    of_part,
    part_of,
)
from pipelines.rows import split_of

ROW = {"product": "우산", "values": ["든든한"], "ad_copy": "비보다 먼저 펴지는 마음"}
PRODUCTS = [f"상품 {number}" for number in range(2000)]


def line(grades: str) -> GradedLine:
    first, second = grades
    return GradedLine(ROW, "base", "model", (first, second))


def test_the_file_holds_whole_lines_each_once():
    lines = graded_lines()
    assert len(lines) >= 1500
    assert {each.kind for each in lines} == set(get_args(Kind))
    assert {grade for each in lines for grade in each.grades} == set(GRADES)
    for each in lines:
        assert each.row["product"] and each.row["ad_copy"] and all(each.row["values"]) and each.row["values"]
        assert each.source and (each.kind == "model" or each.source.startswith(each.kind))
    rows = Counter((each.row["product"], tuple(each.row["values"]), each.row["ad_copy"]) for each in lines)
    assert set(rows.values()) == {1}


def test_at_least_five_systems_wrote_and_a_quarter_is_of_people():
    lines = graded_lines()
    assert len({each.source for each in lines if each.kind == "model"}) >= 5
    assert sum(each.kind != "model" for each in lines) >= 0.2 * len(lines)


def test_either_part_has_lines_of_both_sides():
    for part in ("fit", "test"):
        models = [each for each in of_part(graded_lines(), part) if each.kind == "model"]
        assert any(map(is_usable, models)) and sum(map(is_unusable, models)) >= 200


def test_no_product_stands_in_both_parts():
    fit, test = ({each.row["product"] for each in of_part(graded_lines(), part)} for part in ("fit", "test"))
    assert fit and test and not fit & test


def test_the_part_is_of_the_product_and_says_nothing_of_its_split():
    assert part_of(" 우산") == part_of("우산")
    share = sum(part_of(product) == "fit" for product in PRODUCTS) / len(PRODUCTS)
    held_out = [product for product in PRODUCTS if split_of(product) == "test"]
    assert share == pytest.approx(0.6, abs=0.04)
    assert sum(part_of(product) == "fit" for product in held_out) / len(held_out) == pytest.approx(0.6, abs=0.12)


@pytest.mark.parametrize(
    ("grades", "usable", "unusable"),
    [("AA", 1, 0), ("AB", 1, 0), ("BB", 1, 0), ("BC", 0, 0), ("DA", 0, 0), ("CC", 0, 1), ("CD", 0, 1), ("DD", 0, 1)],
)
def test_where_the_readings_disagree_a_line_is_neither(grades, usable, unusable):
    assert (is_usable(line(grades)), is_unusable(line(grades))) == (usable, unusable)
