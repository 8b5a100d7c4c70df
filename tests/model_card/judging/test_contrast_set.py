"""The contrast set: how each kind of perturbed line is made, and what is left out."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_card.judging import contrast_set
from model_card.judging.contrast_kinds import CONTRAST_KINDS, MODEL_MADE
from model_card.judging.contrast_set import CLICHES, WHOLE, build_contrast_set, shuffled, template
from model_card.judging.graded import GradedLine
from pipelines.errors import HanjulError
from pipelines.likelihood.prompts import GENERIC_LINES
from pipelines.metrics import METRICS

VALUES = ["조용한", "빠른", "든든한", "가벼운", "따뜻함"]
#: Three rows a product, whose values overlap with those of many others.
ROWS = [
    {
        "product": f"상품{n // 3}",
        "values": [VALUES[n % 5], VALUES[(n + 1) % 5]],
        "ad_copy": f"물방울이 웃는 {n}번째 밤",
    }
    for n in range(60)
]
SLOGANS = [{"product": f"물건{n}", "values": ["설렘"], "ad_copy": f"슬로건 {n}"} for n in range(30)]


def graded(number, grades, kind="model"):
    row = {"product": f"물건 {number}", "values": ["설렘"], "ad_copy": f"{grades} {number}"}
    return GradedLine(row, "base", kind, tuple(grades))


#: Three usable lines by models among many that are not, and some on which the readings disagree.
GRADED = [
    *(graded(n, grades) for n, grades in enumerate(("AA", "AB", "BB"))),
    *(graded(n, ("CC", "CD", "DD")[n % 3]) for n in range(3, 43)),
    *(graded(n, "BC") for n in range(43, 48)),
    *(graded(n, "AA", "written") for n in range(48, 53)),
    *(graded(n, "CC", "flat") for n in range(53, 58)),
]
OF_ROWS = ["other_product", "other_value", "shuffled", "wrong_ending", "template"]


@pytest.fixture(scope="module")
def contrasts():
    return build_contrast_set(ROWS, SLOGANS, GRADED, seed=1)


def test_every_row_is_perturbed_in_each_way_and_every_slogan_in_one(contrasts):
    for origin, row in enumerate([*ROWS, *SLOGANS]):
        made = [c for c in contrasts if c.origin == origin]
        assert [c.kind for c in made] == (OF_ROWS if origin < len(ROWS) else ["worn_out"])
        assert all(c.good == row for c in made)
    assert len(contrasts) == 5 * len(ROWS) + len(SLOGANS) + 40


def test_each_metric_has_kinds_of_its_own_and_what_models_write(contrasts):
    kinds = [kind for metric in METRICS.values() for kind in metric.contrasts if kind != MODEL_MADE]
    assert [*kinds, MODEL_MADE] == list(CONTRAST_KINDS)
    assert all(metric.contrasts[-1] == MODEL_MADE for metric in METRICS.values())
    assert {c.kind for c in contrasts} == set(CONTRAST_KINDS)


def test_every_unusable_line_by_a_model_stands_once_beside_usable_ones_in_turn(contrasts):
    found = [c for c in contrasts if c.kind == MODEL_MADE]
    assert sorted(c.bad["ad_copy"] for c in found) == sorted(line.row["ad_copy"] for line in GRADED[3:43])
    assert Counter(c.good["ad_copy"] for c in found).keys() == {line.row["ad_copy"] for line in GRADED[:3]}
    counts = Counter((c.origin, c.good["ad_copy"]) for c in found)
    assert sorted(counts.values()) == [13, 13, 14]
    first = len(ROWS) + len(SLOGANS)
    assert sorted(origin for origin, _ in counts) == [first, first + 1, first + 2]


def test_no_more_unusable_lines_than_slow_judges_can_read(monkeypatch):
    monkeypatch.setattr(contrast_set, "MOST_MODEL_MADE", 7)
    one, other = (build_contrast_set(ROWS, SLOGANS, GRADED, seed=seed)[-7:] for seed in (1, 2))
    for found in (one, other):
        assert {c.kind for c in found} == {MODEL_MADE} and len({c.bad["ad_copy"] for c in found}) == 7
        assert len({c.good["ad_copy"] for c in found}) == 3
    assert {c.bad["ad_copy"] for c in one} != {c.bad["ad_copy"] for c in other}


def test_without_a_usable_line_by_a_model_there_is_none_of_the_kind():
    found = build_contrast_set(ROWS, SLOGANS, GRADED[3:], seed=1)
    assert MODEL_MADE not in {c.kind for c in found}


def test_only_what_is_perturbed_differs(contrasts):
    for c in contrasts:
        if c.kind == MODEL_MADE:
            continue
        if c.kind == "other_value":
            assert (c.bad["product"], c.bad["ad_copy"]) == (c.good["product"], c.good["ad_copy"])
        else:
            assert (c.bad["product"], c.bad["values"]) == (c.good["product"], c.good["values"])
            assert c.bad["ad_copy"] != c.good["ad_copy"]
        assert set(c.bad) == {"product", "values", "ad_copy"}


def test_other_product_has_the_line_of_another_product(contrasts):
    of_line = {row["ad_copy"]: row["product"] for row in ROWS}
    found = [c for c in contrasts if c.kind == "other_product"]
    assert all(of_line[c.bad["ad_copy"]] != c.good["product"] for c in found)
    assert len({c.bad["ad_copy"] for c in found}) > 20


def test_other_value_has_the_values_of_another_product_and_shares_none(contrasts):
    found = [c for c in contrasts if c.kind == "other_value"]
    for c in found:
        assert not set(c.bad["values"]) & set(c.good["values"])
        assert any(row["values"] == c.bad["values"] and row["product"] != c.good["product"] for row in ROWS)
    assert len({tuple(c.bad["values"]) for c in found}) == 5


def test_values_of_the_own_product_are_no_other_value():
    rows = [
        {"product": "우산", "values": ["든든한"], "ad_copy": "비가 와도"},
        {"product": "우산", "values": ["가벼운"], "ad_copy": "바람이 와도"},
        {"product": "치마", "values": ["가벼운", "든든한"], "ad_copy": "봄이 와도"},
    ]
    assert "other_value" not in {c.kind for c in build_contrast_set(rows, [], [], seed=1)}


def test_what_cannot_be_made_of_a_line_is_left_out():
    rows = [
        {"product": "우산", "values": ["든든한"], "ad_copy": "한마디"},
        {"product": "치마", "values": ["가벼운"], "ad_copy": "참 참"},
        {"product": "이불", "values": ["포근한"], "ad_copy": "오늘도 맑음"},
        {"product": "컵", "values": ["단단한"], "ad_copy": "물방울이"},
    ]
    made = build_contrast_set(rows, [], [], seed=1)
    always = ["other_product", "other_value", "template"]
    wanted = [always, always, [*always, "shuffled"], [*always, "wrong_ending"]]
    assert [sorted(c.kind for c in made if c.origin == n) for n in range(4)] == [sorted(kinds) for kinds in wanted]
    assert next(c.bad["ad_copy"] for c in made if c.kind == "wrong_ending") == "물방울가"
    assert next(c.bad["ad_copy"] for c in made if c.kind == "shuffled") == "맑음 오늘도"


def test_words_are_shuffled_and_endings_wrong_in_the_rows_own_line(contrasts):
    for c in contrasts:
        before, after = c.good["ad_copy"].split(), c.bad["ad_copy"].split()
        if c.kind == "shuffled":
            assert sorted(before) == sorted(after)
        if c.kind == "wrong_ending":
            assert [one == other for one, other in zip(before, after, strict=True)].count(False) == 1
            assert before[0] != after[0] or before[1] != after[1]  # 물방울이 웃는
        if c.kind == "template":
            assert c.bad["ad_copy"] == template(c.good["product"], c.good["values"])


def test_slogans_stand_against_cliches_in_turn(contrasts):
    cliches = [c.bad["ad_copy"] for c in contrasts if c.kind == "worn_out"]
    assert cliches == [*CLICHES, *CLICHES][: len(SLOGANS)]


def test_cliches_are_those_that_no_judge_was_shown():
    rubrics = (Path(contrast_set.__file__).parent / "rubrics.yaml").read_text(encoding="utf-8")
    shown = [line for line in CLICHES if line in rubrics or line in GENERIC_LINES]
    assert shown == [] and len(CLICHES) == len(set(CLICHES))


def test_the_seed_decides(contrasts):
    assert build_contrast_set(ROWS, SLOGANS, GRADED, seed=1) == contrasts
    assert build_contrast_set(ROWS, SLOGANS, GRADED, seed=2) != contrasts


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS[:3], [ROWS[0]] * 90])
def test_two_products_are_the_least(rows):
    with pytest.raises(HanjulError, match="at least two products"):
        build_contrast_set(rows, SLOGANS, GRADED, seed=1)


@pytest.mark.field
@pytest.mark.parametrize("count", [2, 4, 8, 16, WHOLE - 1])
def test_beside_few_rows_slogans_and_lines_by_models_are_few(count):
    rows = [{**row, "product": f"상품{n}"} for n, row in enumerate(ROWS[:count])]
    found = Counter(c.kind for c in build_contrast_set(rows, SLOGANS, GRADED, seed=1))
    assert found["template"] == count
    assert found["worn_out"] == round(len(SLOGANS) * count / WHOLE)
    assert found[MODEL_MADE] == min(40, round(contrast_set.MOST_MODEL_MADE * count / WHOLE))


def test_from_so_many_rows_on_all_slogans_and_lines_by_models_are_there():
    for count in (WHOLE, 60):
        found = Counter(c.kind for c in build_contrast_set(ROWS[:count], SLOGANS, GRADED, seed=1))
        assert (found["worn_out"], found[MODEL_MADE]) == (len(SLOGANS), 40)


def test_slogans_of_a_small_set_are_drawn_by_seed():
    def drawn(seed):
        return [c.good["ad_copy"] for c in build_contrast_set(ROWS[:6], SLOGANS, [], seed) if c.kind == "worn_out"]

    assert drawn(1) == drawn(1) != drawn(2) and len(set(drawn(1))) == 6


def test_template_takes_the_particle_of_the_product():
    assert template("우산", ["튼튼"]) == "우산은 튼튼합니다"
    assert template("치마", ["편안", "가벼운"]) == "치마는 편안합니다"


@pytest.mark.parametrize("line", ["", "하나", "참 참", "참 참  참"])
def test_shuffled_is_none_where_there_is_no_other_order(line):
    assert shuffled(line, random.Random(0)) is None


@given(st.lists(st.sampled_from("가나다라"), min_size=2, max_size=6), st.integers(0, 9))
def test_shuffled_is_another_order_of_the_same_words(words, seed):
    mixed = shuffled(" ".join(words), random.Random(seed))
    if len(set(words)) == 1:
        assert mixed is None
    else:
        assert mixed.split() != words and Counter(mixed.split()) == Counter(words)
