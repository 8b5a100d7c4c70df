"""Pairs for DPO: a released line and a worse one for the same prompt, by the same teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from trl.data_utils import extract_prompt, is_conversational

from pipelines.features import PREFERENCES, write_rows
from pipelines.filters.filter_rows import REASONS, filter_rows
from pipelines.preferences import WORSE, preferences_of
from pipelines.rows import make_row, row_id, split_of
from tests.limits import limits

Row = dict[str, Any]

TEACHER = "copywriter-1"


def make(line: str, sense: float | None = None, **columns: Any) -> Row:
    pair = {"product": columns.pop("product", "모카포트"), "values": columns.pop("values", ["여유"])}
    rest: Row = {name: columns.pop(name) for name in ("reason", "evidence") if name in columns}
    row = make_row(ad_copy=line, **pair, **{"source": "synthesised", "teacher": TEACHER} | columns)
    scores = None if sense is None else {"sense": sense}
    return {**row, "scores": scores, "group_id": "", **rest}


BETTER = make("부엌이 먼저 깬다", 0.75)


def pairs(*rejected: Row, kept: Row = BETTER, min_margin: float = 0.25) -> list[tuple[str, float | None]]:
    return [(row["reason"], row["margin"]) for row in preferences_of([kept], rejected, min_margin)]


def test_an_exact_pair() -> None:
    better = make("부엌이 먼저 깬다", 0.75, values=["여유", "따뜻한"])
    worse = make("부엌도 깬다", 0.5, values=["따뜻한", "여유"], reason="outranked", evidence="place 2 of 2")
    prompt = [{"role": "user", "content": "상품: 모카포트\n가치: 여유, 따뜻한"}]
    assert preferences_of([better], [worse], 0.25) == [
        {
            "id": row_id("모카포트", ["여유", "따뜻한"], f"{better['id']} {worse['id']}"),
            "product": "모카포트",
            "values": ["여유", "따뜻한"],
            "prompt": prompt,
            "chosen": [{"role": "assistant", "content": "부엌이 먼저 깬다"}],
            "rejected": [{"role": "assistant", "content": "부엌도 깬다"}],
            "chosen_id": better["id"],
            "rejected_id": worse["id"],
            "reason": "outranked",
            "margin": 0.25,
        }
    ]


@pytest.mark.parametrize("reason", REASONS)
def test_only_reasons_that_say_worse_make_a_pair(reason: str) -> None:
    found = pairs(make("커피가 깬다", 0.25, reason=reason))
    assert found == ([(reason, 0.5)] if reason in ("leak", "template", "judge", "outranked") else [])


@pytest.mark.parametrize("reason", WORSE)
def test_without_scores_only_what_a_rule_says_is_worse(reason: str) -> None:
    expected = [(reason, None)] if reason in ("leak", "template") else []
    cliche = "커피의 여정, 여기서 시작됩니다."
    assert pairs(make(cliche, reason=reason)) == expected
    assert pairs(make(cliche, 0.25, reason=reason), kept=make("부엌이 먼저 깬다")) == expected
    half = make(cliche, reason=reason) | {"scores": {"pv": 0.1, "sense": None}}
    assert pairs(half) == expected


def test_an_ending_that_others_have_too_makes_no_line_worse() -> None:
    assert pairs(make("커피가 깬다", reason="template")) == []


@pytest.mark.parametrize("reason", WORSE)
def test_with_scores_the_margin_decides(reason: str) -> None:
    worse = [make(f"커피가 깬다 {sense}", sense, reason=reason) for sense in (0.9, 0.75, 0.625, 0.5, 0.0)]
    assert pairs(*worse) == [(reason, 0.25), (reason, 0.75)]
    assert pairs(*worse, min_margin=0.0) == [(reason, 0.0), (reason, 0.125), (reason, 0.25), (reason, 0.75)]
    assert pairs(*worse, min_margin=1.0) == []


@pytest.mark.parametrize(
    "other",
    [{"product": "원두"}, {"values": ["설렘"]}, {"values": ["여유", "설렘"]}, {"teacher": "x"}, {"source": "imported"}],
)
def test_another_prompt_or_another_writer_makes_none(other: Row) -> None:
    assert pairs(make("커피가 깬다", 0.0, reason="leak", **other)) == []


@pytest.mark.parametrize("source", ["written", "imported"])
def test_a_line_of_a_person_is_not_chosen_over_a_teachers(source: str) -> None:
    """Rows that a person wrote name no teacher, and neither do those of a teacher without a name."""
    assert pairs(make("커피가 깬다", reason="leak"), kept=make("부엌이 먼저 깬다", source=source, teacher="")) == []


@pytest.mark.parametrize("source", ["written", "imported"])
def test_nor_over_one_of_a_teacher_without_a_name(source: str) -> None:
    kept = make("부엌이 먼저 깬다", source=source, teacher="")
    assert pairs(make("커피가 깬다", reason="leak", teacher=""), kept=kept) == []


def person(line: str, merit: str, **columns: Any) -> Row:
    return make(line, **{"source": "written", "teacher": ""} | columns) | {"merit": merit}


FLAT = [person(line, "flat", reason="outranked") for line in ("물을 끓여 커피를 내려요", "집에서 커피를 마셔요")]


def test_a_flat_line_is_worse_than_each_good_one_that_people_wrote_for_its_pair() -> None:
    kept = [
        person("부엌이 먼저 깬다", "good"),
        person("밸브가 노래한다", "good"),
        person("주말엔 오래 끓여요", "plain"),
    ]
    found = preferences_of(kept, FLAT, 0.1)
    assert [(pair["chosen_id"], pair["rejected_id"]) for pair in found] == [
        (better["id"], worse["id"]) for better in kept[:2] for worse in FLAT
    ]
    assert {(pair["reason"], pair["margin"]) for pair in found} == {("outranked", None)}


@pytest.mark.parametrize(
    ("merit", "other", "count"),
    [
        ("plain", {}, 2),
        ("good", {"source": "imported"}, 2),
        ("", {}, 0),
        ("good", {"product": "원두"}, 0),
        ("good", {"values": ["설렘"]}, 0),
        ("good", {"source": "synthesised"}, 0),
    ],
)
def test_only_a_good_or_else_a_plain_line_of_people_is_better(merit: str, other: Row, count: int) -> None:
    assert len(preferences_of([person("부엌이 먼저 깬다", merit, **other)], FLAT, 0.1)) == count


def test_scores_say_nothing_of_what_people_said() -> None:
    scored = [person("부엌이 먼저 깬다", "good") | {"scores": {"sense": 0.1}}]
    better = {"scores": {"sense": 0.9}}
    assert [pair["margin"] for pair in preferences_of(scored, [row | better for row in FLAT], 0.1)] == [None, None]


def test_a_flat_line_with_a_fault_of_its_own_makes_none() -> None:
    assert preferences_of([person("부엌이 먼저 깬다", "good")], [FLAT[0] | {"reason": "leak"}], 0.1) == []


def test_a_line_that_was_rejected_twice_makes_one_pair() -> None:
    worse = make("모카포트 하나", reason="leak")
    found = preferences_of([BETTER], [worse, dict(worse)], 0.1)
    assert len(found) == len({row["id"] for row in found})


def test_none_of_nothing() -> None:
    assert preferences_of([], [make("모카포트 하나", reason="leak")], 0.1) == []
    assert preferences_of([BETTER], [], 0.1) == []


UNIT = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6, 0.9, 1.0])
SCORES = st.one_of(st.none(), st.fixed_dictionaries({"sense": UNIT}))
ROWS = st.lists(
    st.builds(
        lambda line, product, values, source, teacher, scores, reason: {
            **make(line, product=product, values=values, source=source, teacher=teacher),
            "scores": scores,
            "reason": reason,
        },
        st.one_of(st.text(max_size=12), st.just("커피의 여정, 여기서 시작됩니다.")),
        st.sampled_from(["모카포트", "원두", "우산"]),
        st.sampled_from([["여유"], ["여유", "설렘"], ["설렘", "여유"], []]),
        st.sampled_from(["synthesised", "synthesised", "written", "imported"]),
        st.sampled_from([TEACHER, "hf://models/local/teacher@" + "0" * 40, ""]),
        SCORES,
        st.sampled_from(["", "", *REASONS]),
    ),
    max_size=24,
    unique_by=lambda row: row["id"],
)


@given(ROWS, UNIT)
def test_every_pair_is_of_one_prompt_and_teacher_and_far_enough_apart(rows: list[Row], margin: float) -> None:
    kept, rejected = [row for row in rows if not row["reason"]], [row for row in rows if row["reason"]]
    better, worse = {row["id"]: row for row in kept}, {row["id"]: row for row in rejected}
    found = preferences_of(kept, rejected, margin)
    assert [pair["chosen_id"] for pair in found] == sorted(
        (pair["chosen_id"] for pair in found), key=[row["id"] for row in kept].index
    )
    assert len({pair["id"] for pair in found}) == len(found)
    for pair in found:
        one, other = better[pair["chosen_id"]], worse[pair["rejected_id"]]
        assert (one["product"], sorted(one["values"])) == (other["product"], sorted(other["values"]))
        assert (pair["product"], pair["values"]) == (one["product"], one["values"])
        assert one["teacher"] == other["teacher"] and other["source"] == "synthesised"
        assert pair["reason"] == other["reason"] and pair["reason"] in WORSE
        assert pair["chosen"] == [{"role": "assistant", "content": one["ad_copy"]}]
        assert pair["rejected"] == [{"role": "assistant", "content": other["ad_copy"]}]
        if one["scores"] and other["scores"]:
            assert pair["margin"] == one["scores"]["sense"] - other["scores"]["sense"] >= margin
        else:
            assert pair["margin"] is None and pair["reason"] in ("leak", "template")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(
            lambda words, product, sense: make(" ".join(words), sense, product=product),
            st.lists(
                st.sampled_from(["부엌이", "먼저", "깬다", "골목의", "아침", "모카포트", "느껴보세요"]),
                min_size=2,
                max_size=5,
            ),
            st.sampled_from(["모카포트", "원두"]),
            UNIT,
        ),
        max_size=12,
        unique_by=lambda row: row["id"],
    )
)
def test_what_the_filters_part_gives_lines_that_differ(rows: list[Row]) -> None:
    kept, rejected = filter_rows(rows, limits())
    good = {row["id"]: row for row in kept}
    for pair in preferences_of(kept, rejected, 0.1):
        assert good[pair["chosen_id"]]["scores"]["sense"] >= 0.5 and pair["rejected_id"] not in good
        assert pair["chosen"] != pair["rejected"]


def written(folder: Path) -> Any:
    """Config `preferences` as it is read from its file: a pair with a margin and one without."""
    rejected = [make("모카포트 하나", reason="leak"), make("부엌도 깬다", 0.25, reason="outranked")]
    path = folder / "preferences" / "train.parquet"
    write_rows(preferences_of([BETTER], rejected, 0.1), path, PREFERENCES)
    return load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(folder / "cache"))


def test_it_loads_with_its_features(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert found.features == PREFERENCES
    assert found.to_list() == preferences_of(
        [BETTER], [make("모카포트 하나", reason="leak"), make("부엌도 깬다", 0.25, reason="outranked")], 0.1
    )
    assert found["margin"][:] == [None, 0.5]


def test_margins_that_are_all_null_are_still_numbers(tmp_path: Path) -> None:
    write_rows(
        preferences_of([BETTER], [make("모카포트 하나", reason="leak")], 0.1), tmp_path / "train.parquet", PREFERENCES
    )
    found = load_dataset("parquet", data_files=str(tmp_path / "train.parquet"), cache_dir=str(tmp_path / "cache"))
    assert found["train"].features["margin"].dtype == "float64" and found["train"]["margin"][:] == [None]


def test_trl_takes_it_for_conversational_with_an_explicit_prompt(tmp_path: Path) -> None:
    for example in written(tmp_path):
        assert is_conversational(example)
        assert all(is_conversational({key: example[key]}) for key in ("prompt", "chosen", "rejected"))
        implicit = {key: example["prompt"] + example[key] for key in ("chosen", "rejected")}
        assert extract_prompt(implicit) == {key: example[key] for key in ("prompt", "chosen", "rejected")}


def test_a_pair_stands_in_the_split_of_its_product() -> None:
    rows = [make("부엌이 먼저 깬다", product=product) for product in ("모카포트", "우산")]
    leaks = [make("여유 하나", product=product, reason="leak") for product in ("모카포트", "우산")]
    assert [split_of(pair["product"]) for pair in preferences_of(rows, leaks, 0.1)] == ["train", "test"]
