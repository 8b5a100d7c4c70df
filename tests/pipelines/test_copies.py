from __future__ import annotations

import pytest

from pipelines.copies import brief_prompt, build_copies_pipeline, draw_examples, split_failures, tuned_prompt
from pipelines.rows import Row, make_row, row_id, split_of, user_message
from pipelines.running import run
from pipelines.taxonomy import load_craft
from pipelines.teacher import teacher_llm
from tests.pipelines.teacher_server import KEY, MODEL, serve

SAMPLING = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 40, "concurrency": 4, "seed": 7}
ROWS: list[Row] = [make_row(f"상품{number}", ["여유"], f"줄 {number}", source="written") for number in range(40)]


def make_pair(product: str) -> dict:
    columns = {"category": "커피", "device": "pun", "tone": "warm"}
    return {"id": row_id(product, ["여유"], ""), "product": product, "values": ["여유"], **columns}


PAIRS = [make_pair(product) for product in ("드립백 커피", "모카포트", "커피 그라인더")]


def synthesise(endpoint, folder, **options):
    options = {"tuned": True, "examples": 0, "example_rows": [], "candidates": 2} | options
    llm = teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING)
    return run(build_copies_pipeline(PAIRS, llm, teacher="hf://t@1", seed=7, cache_dir=folder, **options))


def test_rows_are_exactly_these(tmp_path):
    with serve(lambda body, number: f"아침이 먼저\n아는 향 {number} ") as endpoint:
        rows, failures, usage = split_failures(synthesise(endpoint, tmp_path))
    assert [request["messages"] for request in endpoint.log.requests if "모카포트" in str(request)] == [
        [{"role": "user", "content": "상품: 모카포트\n가치: 여유"}]
    ]
    line = "아침이 먼저\n아는 향 1"
    assert rows[1] == {
        "id": row_id("드립백 커피", ["여유"], line),
        "product": "드립백 커피",
        "category": "커피",
        "values": ["여유"],
        "ad_copy": line,
        "device": "pun",
        "tone": "warm",
        "source": "synthesised",
        "teacher": "hf://t@1",
        "example_ids": [],
    }
    assert len(rows) == 6 and failures == {}
    assert usage["output_tokens"] == 3 * (14 + 14)
    assert usage["input_tokens"] == sum(len(user_message(pair["product"], ["여유"])["content"]) for pair in PAIRS)


def test_untuned_teacher_gets_brief_and_examples(tmp_path):
    with serve(lambda body, number: "향이 먼저 깬다") as endpoint:
        rows, _, _ = split_failures(synthesise(endpoint, tmp_path, tuned=False, examples=3, example_rows=ROWS))
    shown = rows[0]["example_ids"]
    assert len(set(shown)) == 3
    (request,) = [request for request in endpoint.log.requests if "드립백 커피" in str(request["messages"])]
    system, *turns, last = request["messages"]
    assert load_craft().devices["pun"] in system["content"] and load_craft().tones["warm"] in system["content"]
    copies = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    assert copies == [row["ad_copy"] for row in (next(r for r in ROWS if r["id"] == one) for one in shown)]
    assert last == user_message("드립백 커피", ["여유"])


def test_one_failed_pair_loses_no_other(tmp_path):
    with serve(lambda body, number: (422, "no") if "모카포트" in str(body) else "향이 먼저 깬다") as endpoint:
        rows, failures, _ = split_failures(synthesise(endpoint, tmp_path))
    assert {row["product"] for row in rows} == {"드립백 커피", "커피 그라인더"}
    assert list(failures) == [PAIRS[1]["id"]] and "422" in failures[PAIRS[1]["id"]]


def test_nothing_written_is_an_error(tmp_path):
    with serve(lambda body, number: (404, "model is gone")) as endpoint:
        found = synthesise(endpoint, tmp_path)
    with pytest.raises(ValueError, match=r"the teacher wrote nothing: NotFoundError.*model is gone"):
        split_failures(found)


def test_the_key_is_nowhere_on_disk(tmp_path):
    with serve(lambda body, number: "향이 먼저 깬다") as endpoint:
        synthesise(endpoint, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_examples_are_drawn_by_seed_from_other_train_products():
    rows = [*ROWS, make_row("모카포트", ["여유"], "같은 상품의 줄")]
    drawn = draw_examples(PAIRS[1], rows, 4, seed=1)
    assert drawn == draw_examples(PAIRS[1], rows, 4, seed=1) != draw_examples(PAIRS[1], rows, 4, seed=2)
    assert all(split_of(row["product"]) == "train" and row["product"] != "모카포트" for row in drawn)


def test_too_few_examples_or_no_pairs_are_errors(tmp_path):
    with pytest.raises(ValueError, match="9 examples asked for, 1 rows of other train products"):
        draw_examples(PAIRS[0], [row for row in ROWS if split_of(row["product"]) == "train"][:1], 9, seed=1)
    with serve(lambda body, number: "줄") as endpoint:
        llm = teacher_llm(endpoint.url, MODEL, KEY, **SAMPLING)
    options = {"candidates": 1, "tuned": True, "examples": 0, "example_rows": [], "seed": 1, "cache_dir": tmp_path}
    with pytest.raises(ValueError, match="no pairs to write for"):
        build_copies_pipeline([], llm, teacher="", **options)


def test_prompts():
    assert tuned_prompt(PAIRS[0]) == [{"role": "user", "content": "상품: 드립백 커피\n가치: 여유"}]
    bare = brief_prompt({**PAIRS[0], "device": "", "tone": ""}, [], load_craft())
    assert [message["role"] for message in bare] == ["system", "user"]
    assert "수사법" not in bare[0]["content"] and "말투" not in bare[0]["content"]
