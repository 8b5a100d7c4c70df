from __future__ import annotations

from itertools import zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.endpoint.answers.json_answers import lines_of
from pipelines.errors import HanjulError
from pipelines.planning.taxonomy import Craft, load_craft
from pipelines.rows import Row, make_row, row_id, split_of, user_message
from pipelines.synthesis.prompts import SPARE, PromptBuilder, build_prompt, draw_examples, usable_examples

SLOGANS: tuple[Row, ...] = tuple(
    make_row(f"상품{number}", ["여유"], f"구호 {number}", source="slogan") for number in range(40)
)
ROWS: tuple[Row, ...] = tuple(
    make_row(f"물건{number}", ["설렘", "쉼"], f"줄 {number}", source="written") for number in range(40)
)
PAIR = {
    "id": row_id("모카포트", ["여유", "온기"], ""),
    "product": "모카포트",
    "category": "커피",
    "values": ["여유", "온기"],
    "device": "pun",
    "tone": "warm",
}
BARE = {**PAIR, "device": "", "tone": ""}


def test_a_tuned_teacher_gets_the_one_turn_it_was_trained_on():
    prompts = PromptBuilder(lines=0, examples=3, pools=(SLOGANS,), seed=1)
    assert prompts.prompt(PAIR) == ([{"role": "user", "content": "상품: 모카포트\n가치: 여유, 온기"}], [])


def test_another_teacher_gets_the_brief_with_examples_and_the_pair():
    prompts = PromptBuilder(lines=4, examples=3, pools=(SLOGANS, ROWS), seed=1)
    messages, shown = prompts.prompt(PAIR)
    drawn = draw_examples(PAIR, (SLOGANS, ROWS), 3, 1)
    assert shown == [row["id"] for row in drawn]
    assert messages == build_prompt(PAIR, drawn, load_craft(), 4)
    system, last = messages
    assert system["role"] == "system"
    assert last == user_message("모카포트", ["여유", "온기"])


def test_the_brief_shows_device_tone_and_each_example_once():
    craft = Craft({"pun": "말 하나로 두 번."}, {"warm": "다정하게."})
    system, _ = build_prompt(PAIR, [SLOGANS[3], ROWS[5]], craft, 4)
    lines = system["content"].splitlines()
    assert "이번 카피의 수사법: 말 하나로 두 번." in lines
    assert "이번 카피의 말투: 다정하게." in lines
    (begin,) = (number for number, line in enumerate(lines) if line.startswith("예시입니다. 말맛만 참고하고"))
    assert "상표나 상품 이름이 들어 있더라도 이번 카피에는 쓰지 않습니다." in lines[begin]
    assert lines[begin + 1 : begin + 4] == ["- 상품3 (여유) → 구호 3", "- 물건5 (설렘, 쉼) → 줄 5", ""]


def test_a_bare_brief_says_nothing_of_what_is_not_asked_for():
    system, _ = build_prompt(BARE, [], load_craft(), 1)
    assert not [word for word in ("수사법", "말투", "예시", "None", "{%", "{{") if word in system["content"]]
    assert "\n\n\n" not in system["content"]


@pytest.mark.parametrize("lines", [1, 2, 4, 10])
def test_the_brief_asks_for_json_with_so_many_lines(lines):
    system, _ = build_prompt(PAIR, [], load_craft(), lines)
    *_, asked, form = system["content"].splitlines()
    assert asked.startswith("카피 하나를 JSON" if lines == 1 else f"발상이 서로 다른 카피 {lines}개를 JSON")
    places = [f"줄 {number}" for number in range(lines)]
    for place in places:
        form = form.replace("…", place, 1)
    assert form.startswith('{"copies": [') and lines_of(form) == places


def test_examples_come_from_the_pools_in_turn():
    drawn = draw_examples(PAIR, (SLOGANS, ROWS), 7, seed=1)
    assert [row["source"] for row in drawn] == ["slogan", "written"] * 3 + ["slogan"]
    few = draw_examples(PAIR, (SLOGANS, ROWS[:2]), 7, seed=1)
    assert [row["source"] for row in few] == ["slogan", "written"] * 2 + ["slogan"] * 3
    assert [row["source"] for row in draw_examples(PAIR, ((), ROWS), 3, seed=1)] == ["written"] * 3


def test_examples_differ_by_seed_pair_and_attempt_alone():
    pools = (SLOGANS, ROWS)
    drawn = draw_examples(PAIR, pools, 6, seed=1)
    assert drawn == draw_examples({**PAIR, "attempt": 0, "tone": "calm"}, pools, 6, seed=1)
    others = [
        draw_examples(PAIR, pools, 6, seed=2),
        draw_examples({**PAIR, "id": "0" * 16}, pools, 6, seed=1),
        draw_examples({**PAIR, "attempt": 1}, pools, 6, seed=1),
        draw_examples({**PAIR, "attempt": 2}, pools, 6, seed=1),
    ]
    assert len({str(rows) for rows in [drawn, *others]}) == 5


def test_all_examples_are_drawn_in_the_end():
    shown = {row["id"] for seed in range(200) for row in draw_examples(PAIR, (SLOGANS, ROWS), 6, seed)}
    assert shown == {row["id"] for row in (*SLOGANS, *ROWS)}


@settings(deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, SPARE), st.integers(0, 30), st.integers())
def test_examples_are_different_rows_of_other_products(slogans, rows, own, count, seed):
    same = [make_row("모카포트", ["여유"], f"같은 상품 {number}", source="slogan") for number in range(own)]
    pools = ((*SLOGANS[:slogans], *same), ROWS[:rows])
    if slogans + rows < count:
        with pytest.raises(HanjulError, match=f"^{count} examples asked for, {slogans + rows} of other train products"):
            draw_examples(PAIR, pools, count, seed)
        return
    drawn = draw_examples(PAIR, pools, count, seed)
    assert len({row["id"] for row in drawn}) == len(drawn) == count
    assert "모카포트" not in {row["product"] for row in drawn}
    turns = [source for turn in zip_longest(["slogan"] * slogans, ["written"] * rows) for source in turn if source]
    assert [row["source"] for row in drawn] == turns[:count]


def test_many_rows_of_the_same_product_do_not_hide_the_others():
    same = [make_row("모카포트", ["여유"], f"같은 상품 {number}", source="written") for number in range(60)]
    for seed in range(50):
        drawn = draw_examples(PAIR, ((*same, *ROWS),), 4, seed)
        assert len(drawn) == 4 and "모카포트" not in {row["product"] for row in drawn}


def test_too_few_examples_are_an_error_with_the_next_step():
    with pytest.raises(HanjulError, match=r"9 examples asked for, 1 of other train products.*`synthesize.examples`"):
        draw_examples(PAIR, (SLOGANS[:1], ()), 9, seed=1)
    with pytest.raises(HanjulError, match="1 examples asked for, 0 of other train products"):
        draw_examples(PAIR, (), 1, seed=1)
    assert draw_examples(PAIR, (), 0, seed=1) == []


def test_usable_examples_are_of_people_and_of_the_train_split():
    machine = [make_row(f"상품{number}", ["여유"], f"기계 {number}", source="synthesised") for number in range(40)]
    usable = usable_examples([*SLOGANS, *machine, *ROWS])
    assert {row["source"] for row in usable} == {"slogan", "written"}
    assert {split_of(row["product"]) for row in usable} == {"train"}
    held_out = [row for row in (*SLOGANS, *ROWS) if row not in usable]
    assert held_out and {split_of(row["product"]) for row in held_out} == {"validation", "test"}
