"""Shares of grades by source, and how far two readings agree."""

import pytest

from model_card.comparison.krippendorff import krippendorff_alpha
from model_card.comparison.readings import readings
from model_card.judging.graded import GradedLine, graded_lines, of_part


def line(number, grades, source="base", kind="model"):
    row = {"product": f"상품 {number // 2}", "values": ["든든한"], "ad_copy": f"{number}"}
    return GradedLine(row, source, kind, tuple(grades))


LINES = [
    *(line(n, grades) for n, grades in enumerate(["DD", "DC", "CC", "BB"])),
    *(line(n, grades, "adapter@0.3") for n, grades in enumerate(["AB", "DD"], 4)),
    *(line(n, grades, "written", "written") for n, grades in enumerate(["AA", "AA", "AB"], 6)),
]
FOUND = readings(LINES, bootstrap=200, seed=1)


def test_shares_are_of_both_readings_and_the_most_usable_source_is_first():
    shares = {one.source: list(one.shares.values()) for one in FOUND.sources}
    assert shares == {
        "written": pytest.approx([5 / 6, 1 / 6, 0, 0]),
        "adapter@0.3": [0.25, 0.25, 0, 0.5],
        "base": [0, 0.25, 0.375, 0.375],
    }
    assert list(shares) == ["written", "adapter@0.3", "base"]
    assert [(one.kind, one.lines) for one in FOUND.sources] == [("written", 3), ("model", 2), ("model", 4)]


def test_lines_and_products_are_counted():
    assert (FOUND.lines, FOUND.products) == (9, 5)
    assert (FOUND.fit, FOUND.test) == tuple(len(of_part(LINES, part)) for part in ("fit", "test"))


def test_agreement_is_ordinal_and_of_models_alone_too():
    units = [["ABCD".index(grade) for grade in one.grades] for one in LINES]
    assert FOUND.alpha.value == pytest.approx(krippendorff_alpha(units, "ordinal"))
    assert FOUND.alpha_models.value == pytest.approx(krippendorff_alpha(units[:6], "ordinal"))
    assert FOUND.alpha.low < FOUND.alpha.value <= FOUND.alpha.high
    assert readings([line(0, "DD"), line(1, "DD")], bootstrap=10, seed=1).alpha is None


def test_the_readings_of_the_shipped_lines_agree():
    found = readings(graded_lines(), bootstrap=100, seed=1)
    assert found.alpha.low > 0.8 and found.alpha_models.low > 0.5
