"""Which pairs are judged, and how the base model is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model_card.judging.graded import graded_lines, of_part
from pipelines.errors import HanjulError
from pipelines.rows import make_row, split_of
from scripts.comparison.eval_prompts import few_shot_chat
from scripts.stages.evaluate import _means, _summary, choose_pairs
from tests.model_card.cards.facts import JUDGE, calibration, wide_report

ROWS = [make_row(f"상품 {n}", [value], "줄") for n in range(200) for value in ("가벼운", "따뜻한")]


def test_pairs_are_of_the_test_split_and_of_different_products_first() -> None:
    products = {row["product"] for row in ROWS if split_of(row["product"]) == "test"}
    pairs = choose_pairs(ROWS, len(products), seed=1)
    assert {product for product, _ in pairs} == products
    more = choose_pairs(ROWS, len(products) + 3, seed=1)
    assert more[: len(products)] == pairs
    assert len(set(more)) == len(products) + 3


def test_products_that_the_judge_was_fitted_on_come_last() -> None:
    fitted = {line.row["product"] for line in of_part(graded_lines(), "fit")}
    known = sorted(product for product in fitted if split_of(product) == "test")[:30]
    new = sum(split_of(row["product"]) == "test" for row in ROWS)
    pairs = choose_pairs([*(make_row(product, ["가벼운"], "줄") for product in known), *ROWS], new + 30, seed=1)
    assert {product for product, _ in pairs[:new]}.isdisjoint(known)
    assert {product for product, _ in pairs[new:]} == set(known)


def test_same_seed_same_pairs() -> None:
    assert choose_pairs(ROWS, 5, seed=1) == choose_pairs(list(reversed(ROWS)), 5, seed=1)
    assert choose_pairs(ROWS, 5, seed=1) != choose_pairs(ROWS, 5, seed=2)


def test_too_few_pairs_are_an_error_with_a_next_step() -> None:
    with pytest.raises(HanjulError, match=r"lower `evaluate\.pairs`"):
        choose_pairs(ROWS, 1000, seed=1)


def test_few_shot_chat_alternates_and_ends_with_the_question() -> None:
    chat = few_shot_chat([make_row("커피", ["여유"], "커피 줄")], "우산", ["든든한"])
    assert [turn["role"] for turn in chat] == ["user", "assistant", "user"]
    assert chat[1]["content"] == "커피 줄"
    assert chat[2]["content"] == "상품: 우산\n가치: 든든한"


POOR = replace(JUDGE, name="coin flip", calibration={key: calibration(0.5, key) for key in JUDGE.calibration})


@pytest.mark.field
def test_the_commit_says_what_the_most_reliable_judge_says_and_nothing_of_an_unreliable_one() -> None:
    report = wide_report(["base", "adapter"], [POOR, JUDGE])
    assert _summary(report) == "PV 0.10 -> 0.45 on 3 pairs"
    assert _means(report) == {"base": {"pv": 0.1, "naturalness": 0.1}, "adapter": {"pv": 0.45, "naturalness": 0.45}}
    alone = replace(wide_report(["base", "adapter"], [POOR]), pairs=1)
    assert _summary(alone) == "1 pair, no judge is reliable"
    assert _means(alone) == {}
