"""Alpha against its author's worked example."""

from __future__ import annotations

import pytest

from model_card.comparison.krippendorff import krippendorff_alpha

#: Krippendorff 2011, section C: 12 units, 4 observers, 7 missing values.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level, alpha: float) -> None:
    assert krippendorff_alpha(UNITS, level) == pytest.approx(alpha, abs=0.0005)


def test_alpha_at_its_ends() -> None:
    assert krippendorff_alpha([[0, 0], [1, 1], [2, 2, 2]], "ordinal") == 1
    assert krippendorff_alpha([[0, 1], [1, 0]]) == pytest.approx(-0.5)
    for undefined in ([], [[1]], [[1], [2]], [[1, 1], [1, 1]]):
        assert krippendorff_alpha(undefined, "ordinal") is None


def test_a_tie_contradicts_less_than_the_other_line() -> None:
    agreed = [[0, 0], [2, 2], [1, 1]] * 4
    assert krippendorff_alpha([*agreed, [0, 1]], "ordinal") > krippendorff_alpha([*agreed, [0, 2]], "ordinal")
    assert krippendorff_alpha([*agreed, [0, 1]]) == pytest.approx(krippendorff_alpha([*agreed, [0, 2]]), abs=0.02)
