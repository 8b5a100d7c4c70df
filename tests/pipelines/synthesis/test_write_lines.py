from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.drought import AT_FIRST
from pipelines.endpoint.completions import SENSELESS
from pipelines.endpoint.failures import Failure, FailureKind
from pipelines.endpoint.next_steps import START
from pipelines.endpoint.spending.budget import Caps
from pipelines.errors import HanjulError
from pipelines.execution.running import run
from pipelines.planning.taxonomy import load_craft
from pipelines.rows import Row, make_row, row_id, user_message
from pipelines.synthesis.checking import PairResult, raw_rows
from pipelines.synthesis.prompts import PromptBuilder
from pipelines.synthesis.rounds import Rounds
from pipelines.synthesis.write_lines import Writing, build_writing_pipeline, read_leaf, write_lines
from tests.limits import limits
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Endpoint, Reset, serve
from tests.pipelines.endpoint.teachers import teacher_at

LIMITS = limits(gated=False)
ROWS: tuple[Row, ...] = tuple(
    make_row(f"상품{number}", ["여유"], f"줄 {number}", source="written") for number in range(40)
)
TUNED = PromptBuilder(lines=0)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("client", "completions"):
        monkeypatch.setattr(f"pipelines.endpoint.{module}.FIRST_PAUSE_S", 0.001)


def make_pair(product: str) -> dict:
    columns = {"category": "커피", "device": "pun", "tone": "warm"}
    return {"id": row_id(product, ["여유"], ""), "product": product, "values": ["여유"], **columns}


PAIRS = [make_pair(product) for product in ("드립백 커피", "모카포트", "커피 그라인더")]


def synthesise(
    endpoint: Endpoint,
    folder: Path,
    prompts: PromptBuilder = TUNED,
    *,
    pairs: list[dict] = PAIRS,
    caps: Caps | None = None,
) -> list[PairResult]:
    llm = teacher_at(endpoint.url, folder, caps=caps or Caps())
    writing = Writing(pairs, prompts, "hf://t@1", 2, LIMITS)
    pipeline = build_writing_pipeline(writing, llm, cache_dir=folder / "distilabel")
    return read_leaf(run(pipeline))


def test_rows_are_exactly_these_and_the_key_is_nowhere_on_disk(tmp_path):
    with serve(lambda body, number: f"아침이 먼저\n아는 향 {number} ") as endpoint:
        results = synthesise(endpoint, tmp_path)
    assert [request["messages"] for request in endpoint.log.requests if "모카포트" in str(request)] == [
        [{"role": "user", "content": "상품: 모카포트\n가치: 여유"}]
    ]
    line = "아침이 먼저\n아는 향 1"
    assert results[0].rows[1] == {
        "id": row_id("드립백 커피", ["여유"], line),
        "product": "드립백 커피",
        "category": "커피",
        "values": ["여유"],
        "ad_copy": line,
        "device": "pun",
        "tone": "warm",
        "merit": "",
        "source": "synthesised",
        "teacher": "hf://t@1",
        "example_ids": [],
        "reason": "format",
        "evidence": "2 lines",
    }
    assert [(result.turn, result.id, result.failure, len(result.rows)) for result in results] == [
        (turn, pair["id"], None, 2) for turn, pair in enumerate(PAIRS)
    ]
    assert [result.output_tokens for result in results] == [14 + 14] * 3
    assert [result.input_tokens for result in results] == [
        len(user_message(pair["product"], ["여유"])["content"]) for pair in PAIRS
    ]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_untuned_teacher_gets_brief_and_examples_and_each_line_is_checked(tmp_path):
    answer = '{"copies": ["향이 먼저 깬다", "여유를 내리는 시간", "남는 줄"]}'
    prompts = PromptBuilder(lines=2, examples=3, pools=(ROWS,), seed=7)
    with serve(lambda body, number: answer) as endpoint:
        results = synthesise(endpoint, tmp_path, prompts)
    for result, pair in zip(results, PAIRS, strict=True):
        shown = result.rows[0]["example_ids"]
        assert len(set(shown)) == 3
        (request,) = [one for one in endpoint.log.requests if one["messages"] == prompts.prompt(pair)[0]]
        assert request["response_format"]["type"] == "json_schema"
        system, last = request["messages"]
        assert load_craft().devices["pun"] in system["content"] and load_craft().tones["warm"] in system["content"]
        assert all(row["ad_copy"] in system["content"] for row in ROWS if row["id"] in shown)
        assert last == user_message(pair["product"], ["여유"])
        assert [(row["ad_copy"], row["reason"], row["evidence"]) for row in result.rows] == [
            ("향이 먼저 깬다", "", ""),
            ("여유를 내리는 시간", "leak", "value 여유"),
        ]


def test_a_failed_or_refused_pair_loses_no_other(tmp_path):
    refusal = "죄송합니다. 이 상품은 도와드릴 수 없습니다."
    content = {"모카포트": (422, "no"), "커피 그라인더": refusal}

    def write(body, number):
        return next((said for product, said in content.items() if product in body["messages"][-1]["content"]), ok)

    ok = '["향이 먼저 깬다", "컵이 늦게 온다"]'
    with serve(write) as endpoint:
        good, failed, refused = synthesise(endpoint, tmp_path, PromptBuilder(lines=2))
    assert [row["ad_copy"] for row in good.rows] == ["향이 먼저 깬다", "컵이 늦게 온다"]
    assert good.failure is None
    assert failed.rows == [] and failed.failure.label == "rejected 422"
    assert [(row["ad_copy"], row["reason"]) for row in refused.rows] == [(refusal, "refusal")]
    assert refused.failure == Failure(FailureKind.REFUSED, refusal)


def test_an_endpoint_that_is_gone_fails_every_pair_that_was_not_answered(tmp_path):
    with serve(lambda body, number: Reset() if "모카포트" in str(body) else "향이 먼저 깬다") as endpoint:
        results = synthesise(endpoint, tmp_path)
    assert results[1] == PairResult(
        1, PAIRS[1]["id"], [], Failure(FailureKind.GONE, "APIConnectionError: Connection error.", next_step=START), 0, 0
    )
    assert all(len(result.rows) == (0 if result.failure else 2) for result in results)


def test_pairs_beyond_a_limit_are_read_in_another_run(tmp_path):
    with serve(lambda body, number: f"향이 먼저 {number}번 깬다") as endpoint:
        results = synthesise(endpoint, tmp_path, caps=Caps(requests=2))
        assert [result.failure for result in results if result.failure] == [
            Failure(FailureKind.LIMIT, "max_requests = 2 (2 sent)")
        ]
        whole = synthesise(endpoint, tmp_path)
        assert [len(result.rows) for result in whole] == [2, 2, 2]
    assert len(endpoint.log.requests) == 3


MANY = [make_pair(f"모카포트 {number}호") for number in range(400)]


@pytest.mark.field
@pytest.mark.parametrize("answer", ["여유", "물론입니다!", '{"copies": ["#하나", "#둘"]}'])
def test_a_teacher_of_whom_nothing_is_usable_is_not_asked_on(tmp_path, answer):
    with serve(lambda body, number: answer) as endpoint:
        llm = teacher_at(endpoint.url, tmp_path)
        llm.load()
        rounds = Rounds(MANY, 300, 3, 1)
        writing = Writing(MANY, PromptBuilder(lines=2), "t", 2, LIMITS, rounds, asked=MODEL)
        results = list(write_lines(llm, writing))
    assert len(results) == AT_FIRST and not any(result.is_usable for result in results)
    assert len(endpoint.log.requests) <= SENSELESS * (AT_FIRST + llm.options.concurrency)
    assert len({result.turn for result in results}) == AT_FIRST


@pytest.mark.field
def test_a_first_round_without_a_usable_line_is_the_last(tmp_path):
    with serve(lambda body, number: '["#하나", "#둘"]') as endpoint:
        llm = teacher_at(endpoint.url, tmp_path)
        llm.load()
        writing = Writing(MANY, PromptBuilder(lines=2), "t", 2, LIMITS, Rounds(MANY, 24, 3, 1), asked=MODEL)
        results = list(write_lines(llm, writing))
    assert len(results) == len(endpoint.log.requests) == 24
    assert {row["reason"] for result in results for row in result.rows} == {"format"}


@pytest.mark.field
def test_a_round_with_few_usable_lines_is_not(tmp_path):
    def write(body, number):
        asked = len(endpoint.log.requests)
        return f'["{asked}번째 잔이 비었다", "#둘"]' if asked % 12 == 1 else '["#하나", "#둘"]'

    with serve(write) as endpoint:
        llm = teacher_at(endpoint.url, tmp_path)
        llm.load()
        writing = Writing(MANY, PromptBuilder(lines=2), "t", 2, LIMITS, Rounds(MANY, 12, 3, 1), asked=MODEL)
        results = list(write_lines(llm, writing))
    assert len(results) > 100 and not any(result.failure for result in results)


@pytest.mark.field
def test_a_teacher_that_has_nothing_to_say_any_more_is_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.drought.LATER", 20)

    def write(body, number):
        return '["향이 먼저 깬다", "컵이 늦게 온다"]' if len(endpoint.log.requests) < 9 else '["#하나", "#둘"]'

    with serve(write) as endpoint:
        llm = teacher_at(endpoint.url, tmp_path)
        llm.load()
        results = list(write_lines(llm, Writing(MANY, PromptBuilder(lines=2), "t", 2, LIMITS, asked=MODEL)))
    assert 20 < len(results) < 40
    said = "20 prompts in a row brought nothing that can be used"
    assert [result.failure for result in results if result.failure] == [Failure(FailureKind.LIMIT, said)]


def test_more_pairs_than_a_batch_come_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.synthesis.write_lines.BATCH", 4)
    pairs = [make_pair(f"모카포트 {number}호") for number in range(10)]
    with serve(lambda body, number: "향이 먼저 깬다") as endpoint:
        results = synthesise(endpoint, tmp_path, pairs=[{**pair, "attempt": 2} for pair in pairs])
    assert [(result.turn, result.id) for result in results] == [(turn, pair["id"]) for turn, pair in enumerate(pairs)]


def test_no_pairs_are_an_error(tmp_path):
    with (
        serve(lambda body, number: "줄") as endpoint,
        pytest.raises(HanjulError, match="no pairs to write for → plan some"),
    ):
        synthesise(endpoint, tmp_path, pairs=[])


def test_too_few_examples_stop_it(tmp_path):
    with (
        serve(lambda body, number: "줄") as endpoint,
        pytest.raises(HanjulError, match="9 examples asked for, 1 of other train products"),
    ):
        synthesise(endpoint, tmp_path, PromptBuilder(lines=2, examples=9, pools=(ROWS[:1],)))


ABOUT = {**PAIRS[0], "teacher": "hf://t@1", "example_ids": ["a"]}


def test_a_refusal_is_a_row_and_a_failure_is_none():
    def lines(texts: list[str], failure: Failure) -> list[str]:
        return [row["ad_copy"] for row in raw_rows(ABOUT, texts, failure)]

    said = "죄송하지만 도와드릴 수 없습니다."
    assert lines([], Failure(FailureKind.REFUSED, said)) == [said]
    assert lines([], Failure(FailureKind.REFUSED, "다음 기회에 뵙겠습니다")) == [
        ""
    ]  # words that the rule would let pass as a line
    assert lines([], Failure(FailureKind.REFUSED)) == [""]
    assert lines(["향이 먼저 깬다"], Failure(FailureKind.REFUSED)) == ["향이 먼저 깬다"]
    assert lines([" 향이 먼저\n깬다 "], Failure(FailureKind.UNUSABLE)) == ["향이 먼저\n깬다"]
    assert lines([], Failure(FailureKind.GONE)) == []


def test_the_leaf_is_read_in_the_order_of_the_pairs():
    leaf = [
        {
            "pair": f'{{"turn": {turn}, "id": "{turn}", "failure": null, "input_tokens": 1, "output_tokens": 2}}',
            "rows": "[]",
        }
        for turn in (2, 0, 1)
    ]
    assert read_leaf(leaf) == [PairResult(turn, str(turn), [], None, 1, 2) for turn in range(3)]


def test_a_bug_in_a_rule_is_told_by_its_own_words_while_answers_come_in(tmp_path, monkeypatch):
    def first_rule(row, limits):
        return 1 / 0

    monkeypatch.setattr("pipelines.synthesis.checking.first_rule", first_rule)
    pairs = [make_pair(f"모카포트 {number}호") for number in range(40)]
    with (
        serve(lambda body, number: "향이 먼저 깬다") as endpoint,
        pytest.raises(RuntimeError, match="ZeroDivisionError: division by zero"),
    ):
        synthesise(endpoint, tmp_path, pairs=pairs)
