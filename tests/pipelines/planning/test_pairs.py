from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from itertools import product

import pytest

from pipelines.errors import HanjulError
from pipelines.execution.running import run
from pipelines.planning.decks import decks_of
from pipelines.planning.pairs import COLUMNS, PlanPairs, build_pairs_pipeline, count_pairs, plan_pairs
from pipelines.planning.taxonomy import KINDS, Category, Craft, Group, load_craft, load_taxonomy
from pipelines.rows import row_id, split_of
from tests.pipelines.planning.categories import one_group

#: Their products are of the train split.
TWO = tuple(
    one_group(
        name, tuple(f"{name}{number}" for number in (0, 2, 3)), {kind: (f"{kind}1", f"{kind}2") for kind in KINDS}
    )
    for name in ("가", "나")
)
CRAFT = Craft({"pun": "말장난", "question": "물음"}, {"warm": "다정하게", "bold": "당당하게", "calm": "차분하게"})


def plan(n: int, **options):
    return plan_pairs(TWO, CRAFT, n, **{"values_max": 2, "seed": 7} | options)


def test_a_pair_is_exactly_this():
    (pair,) = plan(1, values_max=1)
    assert pair == {
        "id": row_id(pair["product"], pair["values"], ""),
        "product": pair["product"],
        "category": pair["product"][0],
        "values": pair["values"],
        "device": pair["device"],
        "tone": pair["tone"],
    }
    assert list(pair) == COLUMNS


def test_the_seed_decides():
    assert plan(20) == plan(20)
    assert plan(20) != plan(20, seed=8)


def test_spreads_evenly():
    pairs = plan_pairs(load_taxonomy(), load_craft(), 384, values_max=2, seed=1)
    for column, spread in (("category", 0), ("device", 1), ("tone", 1)):
        counts = Counter(pair[column] for pair in pairs).values()
        assert max(counts) - min(counts) <= spread, column
    kind_of = {
        (product, value): kind
        for category in load_taxonomy()
        for product in category.products
        for kind, values in category.values_of(product).items()
        for value in values
    }
    kinds = Counter(kind_of[pair["product"], value] for pair in pairs for value in pair["values"])
    assert len(kinds) == 5 and max(kinds.values()) - min(kinds.values()) <= 4
    assert Counter(len(pair["values"]) for pair in pairs) == {1: 192, 2: 192}


def test_values_of_a_pair_are_of_different_kinds():
    assert all(len({value[:-1] for value in pair["values"]}) == len(pair["values"]) for pair in plan(300))


def test_unwritten_products_come_first():
    pairs = plan(6, written={"가0", "가3", "나2"})
    assert {pair["product"] for pair in pairs[:2]} <= {"가2", "나0", "나3"}
    assert next(pair["product"] for pair in pairs if pair["category"] == "가") == "가2"
    assert len({pair["product"] for pair in pairs}) == 6


def test_every_pair_is_another_up_to_the_last():
    possible = count_pairs(TWO, 2)
    assert possible == 6 * (10 + 40)
    pairs = plan(possible)
    assert len({(pair["product"], frozenset(pair["values"])) for pair in pairs}) == possible
    assert len({pair["id"] for pair in pairs}) == possible


def test_a_shorter_plan_is_the_beginning_of_a_longer_one():
    taxonomy, craft = load_taxonomy(), load_craft()
    hundred, more = (plan_pairs(taxonomy, craft, n, values_max=2, seed=1) for n in (100, 2500))
    assert more[:100] == hundred


def test_ten_thousand_pairs_reach_far():
    pairs = plan_pairs(load_taxonomy(), load_craft(), 10_000, values_max=2, seed=1)
    products = {name for category in load_taxonomy() for name in category.products if split_of(name) == "train"}
    assert {pair["product"] for pair in pairs} == products and len(products) >= 1_500
    assert len({value for pair in pairs for value in pair["values"]}) >= 1_500
    assert len({pair["id"] for pair in pairs}) == 10_000


def test_no_pair_is_planned_for_a_product_that_models_are_measured_on():
    products = ("가0", "가1", "나4")
    assert [split_of(name) for name in products] == ["train", "test", "validation"]
    category = one_group("가", products, {"functional": ("빠른", "진한")})
    assert count_pairs([category], 1) == 2
    assert {pair["product"] for pair in plan_pairs([category], CRAFT, 2, values_max=1, seed=1)} == {"가0"}


def test_value_sets_that_are_not_needed_are_not_made():
    taxonomy, craft = load_taxonomy(), load_craft()
    tracemalloc.start()
    plan_pairs(taxonomy, craft, 5_000, values_max=3, seed=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 2**20  # all ten million take gigabytes


def test_a_product_has_the_values_of_its_group_alone():
    groups = (
        Group("둘", ("가0",), {"functional": ("빠른", "진한"), "social": ("나눔",)}),
        Group("없음", ("가3",), {"social": ()}),
        Group("모두", ("가2",), TWO[0].groups[0].values),
    )
    category = Category("가", groups)
    assert count_pairs([category], 2) == (3 + 2) + 0 + (10 + 40)
    pairs = plan_pairs([category], CRAFT, 55, values_max=2, seed=1)
    assert sorted(pair["values"] for pair in pairs if pair["product"] == "가0") == [
        *(["나눔"], ["빠른"], ["빠른", "나눔"], ["진한"], ["진한", "나눔"])
    ]
    assert Counter(pair["product"] for pair in pairs) == {"가0": 5, "가2": 50}


def test_a_deck_gives_every_value_set_once_in_any_order():
    values = {"functional": ("a", "b", "c"), "social": ("d", "e"), "epistemic": ("f", "g")}
    orders = set()
    for seed in range(20):
        (deck,) = [deck for deck in decks_of(values, 3) if len(deck.kinds) == 3]
        draw = random.Random(seed)
        drawn = tuple(tuple(deck.draw(draw)) for _ in range(deck.left))
        assert set(drawn) == set(product("abc", "de", "fg")) and len(drawn) == 12
        orders.add(drawn)
    assert len(orders) == 20 and deck.left == 0


@pytest.mark.parametrize("n", [0, 301])
def test_more_than_there_are_is_an_error(n):
    with pytest.raises(HanjulError, match=f"{n} pairs asked for, the taxonomy has 300 different ones"):
        plan(n)


def test_step_yields_batches_and_resumes_at_an_offset():
    pairs = plan(5)
    step = PlanPairs(name="plan", pairs=pairs, batch_size=2)
    assert list(step.process()) == [(pairs[:2], False), (pairs[2:4], False), (pairs[4:], True)]
    assert list(step.process(offset=4)) == [(pairs[4:], True)]


def test_pipeline_gives_the_plan(tmp_path):
    pairs = plan(30)
    assert run(build_pairs_pipeline(pairs, cache_dir=tmp_path)) == pairs
