"""What judges are calibrated on: enough of every kind, or a sentence before anything is paid."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from model_card.judging.contrast_kinds import CONTRAST_KINDS
from pipelines.errors import HanjulError
from pipelines.rows import make_row, split_of
from scripts.core.settings import EvaluateSettings
from scripts.judging.calibration_data import calibration_data

VALUES = ["조용한", "빠른", "든든한", "가벼운", "따뜻함"]


def rows(line: str = "물방울이 웃는 {}번째 밤", products: int = 400) -> list[Any]:
    return [make_row(f"상품 {n}", [VALUES[n % 5]], line.format(n)) for n in range(products)]


def data_of(found: list[Any], wanted: int) -> Any:
    return calibration_data(found, "hf://datasets/us/copy", EvaluateSettings(calibration_rows=wanted), seed=1)


@pytest.mark.field
@pytest.mark.parametrize("wanted", [4, 8, 16])
def test_few_rows_make_a_small_set_of_all_kinds(wanted: int) -> None:
    found = Counter(contrast.kind for contrast in data_of(rows(), wanted).contrasts)
    assert set(found) == set(CONTRAST_KINDS) and found["template"] == wanted
    assert sum(found.values()) < 16 * wanted


@pytest.mark.field
@pytest.mark.parametrize("wanted", [-1, 0, 1, 3])
def test_too_few_rows_are_refused_by_the_settings(wanted: int) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 4"):
        EvaluateSettings(calibration_rows=wanted)


@pytest.mark.field
@pytest.mark.parametrize(
    ("line", "missing"), [("{}번", "shuffled words, wrong particle or ending"), ("ㅎ {}", "wrong particle or ending")]
)
def test_lines_that_cannot_be_spoilt_are_known_before_a_judge_is_asked(line: str, missing: str) -> None:
    with pytest.raises(HanjulError) as raised:
        data_of(rows(line), 8)
    assert raised.value.what == f"8 held-out rows leave kinds of bad line without an example: {missing}"
    assert raised.value.next_step == "raise `evaluate.calibration_rows`, or import more rows"


@pytest.mark.field
def test_a_split_of_one_product_says_so() -> None:
    few = [row for row in rows() if split_of(row["product"]) == "train"]
    held_out = next(row for row in rows() if split_of(row["product"]) == "test")
    with pytest.raises(HanjulError, match="at least two products"):
        data_of([*few, held_out], 8)
