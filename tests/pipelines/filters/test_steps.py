"""The filters as steps: exact rows in and out, and in a pipeline that is not ours."""

from __future__ import annotations

import copy
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.filters.apply_rules import RULES, first_rule
from pipelines.filters.filter_rows import REASONS
from pipelines.filters.limits import Limits
from pipelines.filters.steps import CheckRules, SelectRows
from pipelines.rows import row_id
from pipelines.text.line_index import Lines
from pipelines.text.tidy import tidy
from tests.limits import LIMITS, limits

Row = dict[str, Any]

UNSCORED = limits(gated=False)
#: Lines that no rule minds and that are not alike.
GOOD = ["가스레인지 위에서 로마가 말을 건다", "부엌이 먼저 깬다", "월요일도 반쯤은 금요일"]
HOSTILE = st.text(
    st.one_of(
        st.sampled_from('가나 모카포트여유"“”‘`*[]()<>{}|\\:#@-_.,\n\r\t\0\u200b\u3000\u0301\ufffd😀漢あㄱ0123456789'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=80,
)


def raw(line: str, **columns: Any) -> Row:
    return {"product": "모카포트", "values": ["여유"], "ad_copy": line} | columns


def checked(rows: list[Row], bounds: Limits = LIMITS) -> list[Row]:
    (found,) = CheckRules(name="rules", limits=bounds).process(rows)
    return list(found)


def selected(rows: list[Row], bounds: Limits = UNSCORED) -> list[Row]:
    (found,) = SelectRows(name="selection", limits=bounds).process(rows)
    return list(found)


def passed(line: str, **columns: Any) -> Row:
    return raw(line, reason="", evidence="", **columns)


def id_of(row: Row) -> str:
    return row_id(row["product"], row["values"], row["ad_copy"])


def test_columns() -> None:
    rules, selection = CheckRules(name="rules", limits=LIMITS), SelectRows(name="selection", limits=LIMITS)
    assert (rules.inputs, rules.outputs) == (["product", "values", "ad_copy"], ["ad_copy", "reason", "evidence"])
    assert selection.inputs == ["product", "values", "ad_copy", "reason", "evidence"]
    assert selection.outputs == ["reason", "evidence", "group_id"]


def test_rules_give_the_tidied_line_and_the_first_reason() -> None:
    assert checked(
        [
            raw('카피: "가스레인지 위에서 로마가 말을 건다"'),
            raw("죄송하지만 그 요청은 도와드릴 수 없습니다.", source="synthesised"),
            raw("부엌이 먼저 깬다 #아침"),
            raw("모카포트가 먼저 깬다"),
            raw("맛의 직감을 느껴 보세요."),
            raw("", source="imported"),
            raw("부엌이 먼저 깬다", values=[]),
            raw("부엌이 먼저 깬다", product=""),
        ]
    ) == [
        raw("가스레인지 위에서 로마가 말을 건다", reason="", evidence=""),
        raw(
            "죄송하지만 그 요청은 도와드릴 수 없습니다.",
            source="synthesised",
            reason="refusal",
            evidence="죄송하지만 그 요청은 도와드릴 수 없습니다.",
        ),
        raw("부엌이 먼저 깬다 #아침", reason="format", evidence="hashtag: #아"),
        raw("모카포트가 먼저 깬다", reason="leak", evidence="product 모카포트"),
        raw("맛의 직감을 느껴 보세요.", reason="template", evidence="form 해 보세요"),
        raw("", source="imported", reason="refusal", evidence="no line"),
        raw("부엌이 먼저 깬다", values=[], reason="format", evidence="no value"),
        raw("부엌이 먼저 깬다", product="", reason="format", evidence="no product"),
    ]


def test_a_row_without_a_source_is_taken_for_a_teachers() -> None:
    line = "죄송하지만 그 요청은 도와드릴 수 없습니다."
    assert [row["reason"] for row in checked([raw(line), raw(line, source="written")])] == ["refusal", ""]


def test_rules_use_the_lines_to_compare_with() -> None:
    (row,) = checked([raw("여행은 살아보는 거야!")], limits(slogans=Lines(["여행은 살아보는 거야"])))
    assert (row["reason"], row["evidence"]) == ("slogan", "1.00 like 여행은 살아보는 거야")


def test_other_columns_stay_and_the_rows_given_are_not_touched() -> None:
    extra = {
        "id": "mine",
        "place": 7,
        "scores": None,
        "reason": "old",
        "evidence": "old",
        "한글 열": {"깊이": [1, None]},
    }
    given_rows = [raw("  부엌이 먼저 깬다 ", **extra), raw("모카포트 하나", **extra)]
    before = copy.deepcopy(given_rows)
    found = checked(given_rows)
    assert given_rows == before
    assert found == [
        before[0] | {"ad_copy": "부엌이 먼저 깬다", "reason": "", "evidence": ""},
        before[1] | {"reason": "leak", "evidence": "product 모카포트"},
    ]


def test_selection_names_the_line_that_stays_and_lets_reasons_through() -> None:
    best = passed(GOOD[0], id="mine", place=9)
    gone = raw("모카포트 하나", reason="leak", evidence="product 모카포트", group_id="old", note=1)
    again = passed(GOOD[0] + "!", product="원두")
    second = passed(GOOD[1], values=["여유"])
    rows = [gone, best, again, second]
    before = copy.deepcopy(rows)
    found = selected(rows)
    assert rows == before
    assert found == [
        gone | {"group_id": ""},
        best | {"group_id": id_of(best)},
        again | {"reason": "near_duplicate", "evidence": f"same as {id_of(best)}", "group_id": id_of(best)},
        second | {"reason": "outranked", "evidence": "place 2 of 2", "group_id": ""},
    ]


def test_selection_lets_teachers_in_by_their_scores_and_people_without() -> None:
    low, high = {"sense": 0.1}, {"sense": 0.9}
    rows = [
        passed(GOOD[0], scores=low),
        passed(GOOD[0], scores=low, source="written"),
        passed(GOOD[1], scores={"sense": 0.95}),
        passed(GOOD[2], scores=high),
        passed("골목이 잠든 시각", source="imported"),
    ]
    assert [(row["reason"], row["evidence"]) for row in selected(rows, LIMITS)] == [
        ("judge", "sense 0.100 < 0.500"),
        ("", ""),
        ("", ""),
        ("outranked", "place 2 of 2"),
        ("", ""),
    ]


@pytest.mark.parametrize("scores", [{}, {"scores": None}, {"scores": {"pv": 0.5, "sense": None}}])
def test_a_row_without_the_scores_that_the_limits_ask_for_is_an_error(scores: Row) -> None:
    with pytest.raises(ValueError, match="has no score `sense`: score the rows"):
        selected([passed(GOOD[0], **scores)], LIMITS)


def test_equal_rows_come_back_one_by_one() -> None:
    rows = [passed(GOOD[0], number=number) for number in range(3)]
    best = id_of(rows[0])
    same = {"reason": "near_duplicate", "evidence": f"same as {best}", "group_id": best}
    assert selected(rows) == [rows[0] | {"group_id": best}, rows[1] | same, rows[2] | same]


@pytest.mark.parametrize("rows", [[], [raw("", reason="refusal", evidence="no line")]])
def test_nothing_to_select_from(rows: list[Row]) -> None:
    assert selected(rows) == [row | {"group_id": ""} for row in rows]
    assert checked([]) == []


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=3)), max_size=6))
def test_hostile_rows_all_come_back_in_their_order(rows: list[tuple[str, str, list[str]]]) -> None:
    given_rows: list[Row] = [
        {"product": product, "values": values, "ad_copy": line, "number": number}
        for number, (line, product, values) in enumerate(rows)
    ]
    found = checked(given_rows)
    for row, old in zip(found, given_rows, strict=True):
        assert row == old | {"ad_copy": tidy(old["ad_copy"]), "reason": row["reason"], "evidence": row["evidence"]}
        assert row["reason"] in ("", *RULES) and bool(row["reason"]) == bool(row["evidence"])
        assert (row["reason"], row["evidence"]) == first_rule(row | {"source": "synthesised"}, LIMITS)
    parted = selected(found)
    for row, old in zip(parted, found, strict=True):
        assert row == old | {name: row[name] for name in ("reason", "evidence", "group_id")}
        assert row["reason"] in ("", *REASONS)
        assert not old["reason"] or (row["reason"], row["evidence"]) == (old["reason"], old["evidence"])


@pytest.fixture
def interrupts() -> Iterator[None]:
    """What Ctrl-C does, put back: a plain pipeline leaves its own handler behind."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupts")
def test_in_a_pipeline_of_somebody_elses(tmp_path: Path) -> None:
    rows = [
        {"brand": "가나", **raw('"가스레인지 위에서 로마가 말을 건다"')},
        {"brand": "가나", **raw("모카포트가 먼저 깬다")},
        {"brand": "다라", **raw("가스레인지 위에서 로마가 말을 건다!", product="원두")},
        {"brand": "다라", **raw("부엌이 먼저 깬다", product="원두")},
        {"brand": "마바", **raw("월요일도 반쯤은 금요일", product="원두")},
    ]
    with Pipeline(name="theirs", cache_dir=tmp_path) as pipeline:
        (
            LoadDataFromDicts(data=rows, batch_size=2)
            >> CheckRules(name="rules", limits=UNSCORED, input_batch_size=2)
            >> SelectRows(name="selection", limits=UNSCORED)
        )
    found = pipeline.run(use_cache=False)["default"]["train"]
    best = row_id("모카포트", ["여유"], GOOD[0])
    own = row_id("원두", ["여유"], GOOD[1])
    expected = [
        ("가나", GOOD[0], "", "", best),
        ("가나", "모카포트가 먼저 깬다", "leak", "product 모카포트", ""),
        ("다라", GOOD[0] + "!", "near_duplicate", f"same as {best}", best),
        ("다라", GOOD[1], "", "", own),
        ("마바", GOOD[2], "outranked", "place 2 of 2", ""),
    ]
    columns = ("brand", "ad_copy", "reason", "evidence", "group_id")
    assert [tuple(row[name] for name in columns) for row in found] == expected
    assert {"product", "values"} < set(found.column_names)
