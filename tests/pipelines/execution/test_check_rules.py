"""The rules over a file, in processes: every row gets the verdict that it gets alone, in the order of the file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import progress
from pipelines.execution import check_rules
from pipelines.execution.check_rules import LOOKED_AT, CheckBlocks, ReadRows, build_check_pipeline, verdicts_of
from pipelines.features import write_raw
from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.rows import make_row
from pipelines.text.line_index import Lines
from pipelines.text.tidy import tidy
from tests.limits import LIMITS, limits

Row = dict[str, Any]

SCHEMA = pa.schema(
    [
        ("product", pa.string()),
        ("category", pa.string()),
        ("values", pa.list_(pa.string())),
        ("ad_copy", pa.string()),
        ("source", pa.string()),
    ]
)
ORDINARY = [
    "가스레인지 위에서 로마가 말을 건다",
    "모카포트가 먼저 깬다",
    "맛의 직감을 느껴 보세요.",
    "업계 1위, 손님이 먼저 아는 맛",
    "주문은 010-1234-5678",
    "여유로운 아침이 먼저 깬다",
    "짧다",
    "길" * 61,
]
HOSTILE = [
    "",
    " \u3000\n ",
    '카피: "부엌이 먼저 깬다"',
    "부엌이\n먼저 깬다",
    "부엌이\u2028먼저\x85깬다",
    "부엌이 먼저\0깬다",
    "\ufeff부엌이 먼저 깬다\u200b",
    "“" * 40,
    "부엌이 먼저 깬다 漢字 😀",
    "<|endoftext|>{{ product }}</s>",
    "=HYPERLINK(1)",
    "null",
    "가" * 10_000,
    "\U0010ffff\U000e0001",
]


def raw(line: str, **columns: Any) -> Row:
    row = {"product": "모카포트", "category": "", "values": ["여유"], "ad_copy": line, "source": "synthesised"}
    return row | columns


def write(rows: Sequence[Row], folder: Path) -> Path:
    path = folder / "raw.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), path)
    return path


def verdicts(rows: Sequence[Row], folder: Path, bounds: Limits = LIMITS, replicas: int = 1) -> list[tuple[str, ...]]:
    pipeline = build_check_pipeline(write(rows, folder), bounds, cache_dir=folder / "cache", replicas=replicas)
    return verdicts_of(pipeline, len(rows))


def alone(row: Mapping[str, Any], bounds: Limits = LIMITS) -> tuple[str, ...]:
    return tidy(row["ad_copy"]), *first_rule(row, bounds)


def test_verdicts_are_those_of_each_row_alone(tmp_path: Path) -> None:
    rows = [raw(line, source=source) for line in [*ORDINARY, *HOSTILE] for source in ("synthesised", "written")]
    rows += [raw(ORDINARY[0], product=text) for text in HOSTILE] + [raw(ORDINARY[0], values=HOSTILE[:3])]
    found = verdicts([row | {"id": ""} for row in rows], tmp_path)
    assert found == [alone(row | {"id": ""}) for row in rows]
    assert {reason for _, reason, _ in found} == {
        *("", "refusal", "format", "length", "script", "personal", "leak", "claim", "template")
    }


def test_exact_verdicts(tmp_path: Path) -> None:
    slogans = limits(slogans=Lines(["여행은 살아보는 거야"]))
    rows = [raw('"부엌이  먼저 깬다"'), raw("여행은 살아보는 거야!"), raw("부엌이 먼저 깬다", values=[]), raw("")]
    assert verdicts(rows, tmp_path, slogans) == [
        ("부엌이 먼저 깬다", "", ""),
        ("여행은 살아보는 거야!", "slogan", "1.00 like 여행은 살아보는 거야"),
        ("부엌이 먼저 깬다", "format", "no value"),
        ("", "refusal", "no line"),
    ]


def test_two_processes_and_many_batches_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_rules, "BLOCK", 3)
    rows = [raw(f"{ORDINARY[number % 3]} {number}", source="written") for number in range(40)]
    found = verdicts(rows, tmp_path, replicas=2)
    assert [line for line, _, _ in found] == [row["ad_copy"] for row in rows]
    assert found == [alone(row) for row in rows]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_last_batch_is_whole_partial_or_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(check_rules, "BLOCK", 2)
    rows = [raw(ORDINARY[number]) for number in range(count)]
    assert verdicts(rows, tmp_path) == [alone(row) for row in rows]


@pytest.mark.parametrize("values", [[], ["여유"]])
@pytest.mark.parametrize("line", ["부엌이 먼저 깬다", ""])
def test_batches_that_are_all_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[str], line: str
) -> None:
    monkeypatch.setattr(check_rules, "BLOCK", 2)
    rows = [raw(line, values=values)] * 4 + [raw("모카포트 하나")]
    assert verdicts(rows, tmp_path) == [alone(row) for row in rows]


def test_rows_as_the_stage_writes_them(tmp_path: Path) -> None:
    rows = [make_row("모카포트", values, ORDINARY[0], source="imported") for values in ([], ["여유"], ["여유", "커피"])]
    write_raw(rows, tmp_path / "raw.parquet")
    pipeline = build_check_pipeline(tmp_path / "raw.parquet", LIMITS, cache_dir=tmp_path / "cache", replicas=1)
    assert verdicts_of(pipeline, 3) == [alone(row) for row in rows]


def test_columns_in_another_order_and_of_others(tmp_path: Path) -> None:
    rows = [raw(line) for line in ORDINARY]
    table = pa.Table.from_pylist(rows, SCHEMA).append_column("scores", pa.array([0.5] * len(rows)))
    pq.write_table(
        table.select(["source", "scores", "ad_copy", "values", "category", "product"]), tmp_path / "raw.parquet"
    )
    pipeline = build_check_pipeline(tmp_path / "raw.parquet", LIMITS, cache_dir=tmp_path / "cache", replicas=1)
    assert verdicts_of(pipeline, len(rows)) == [alone(row) for row in rows]


def test_rows_in_many_row_groups_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [raw(f"{number}") for number in range(10)]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), tmp_path / "raw.parquet", row_group_size=3)
    monkeypatch.setattr(check_rules, "BLOCK", 4)
    batches = list(ReadRows(name="read", path=tmp_path / "raw.parquet", batch_size=1).process())
    assert [last for _, last in batches] == [False] * (len(batches) - 1) + [True]
    assert [block["place"] for (block,), _ in batches] == list(range(len(batches)))
    assert [row for (block,), _ in batches for row in json.loads(block["rows"])] == [
        {name: row[name] for name in LOOKED_AT} for row in rows
    ]


def test_verdicts_of_a_block() -> None:
    step = CheckBlocks(name="check", limits=LIMITS)
    (found,) = step.process([{"place": 4, "rows": json.dumps([raw(' "모카포트 하나" '), raw("부엌이 먼저 깬다")])}])
    verdicts = '[["모카포트 하나", "leak", "product 모카포트"], ["부엌이 먼저 깬다", "", ""]]'
    assert found == [{"place": 4, "verdicts": verdicts}]
    assert step.outputs == list(found[0])


def test_a_steps_process_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_rules, "BLOCK", 1)
    monkeypatch.setattr(progress, "SHORTEST_S", 0)  # so short a work has no line else
    verdicts([raw(line) for line in ("하나", "둘", "셋")], tmp_path)
    said = re.findall(r"^\d\d:\d\d:\d\d checking rules: (./3 rows \(\d+%\))", capfd.readouterr().err, re.MULTILINE)
    assert said == ["1/3 rows (33%)", "2/3 rows (67%)", "3/3 rows (100%)"]


def breaks(row: Row, bounds: Limits) -> tuple[str, str, str]:
    if row["ad_copy"] == "둘":
        raise RuntimeError("two is too many")
    return row["ad_copy"], "", ""


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_batch_that_fails_fails_it_all_and_the_log_names_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], replicas: int
) -> None:
    monkeypatch.setattr(check_rules, "BLOCK", 1)
    monkeypatch.setattr(check_rules, "check_row", breaks)
    with pytest.raises(RuntimeError, match="the pipeline hanjul-checks stopped: RuntimeError: two is too many"):
        verdicts([raw("하나"), raw("둘"), raw("셋")], tmp_path, replicas=replicas)
    log = "".join(capfd.readouterr())
    assert "check_rules" in log and "two is too many" in log


def test_a_step_that_cannot_be_loaded_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: CheckBlocks) -> None:
        raise OSError("no model of Korean")

    monkeypatch.setattr(CheckBlocks, "load", load)
    with pytest.raises(RuntimeError, match="the pipeline hanjul-checks"):
        verdicts([raw("하나")], tmp_path)


def test_a_file_that_is_none_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "raw.parquet").write_text("no table at all")
    pipeline = build_check_pipeline(tmp_path / "raw.parquet", LIMITS, cache_dir=tmp_path / "cache", replicas=1)
    with pytest.raises(RuntimeError, match="the pipeline hanjul-checks stopped: ArrowInvalid: Parquet magic bytes"):
        verdicts_of(pipeline, 1)
    assert "'read'" in "".join(capfd.readouterr())


def test_blocks_that_come_as_their_processes_finish_are_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = {2: ["다"], 0: ["가", "나"], 1: []}
    leaf = [
        {"place": place, "verdicts": json.dumps([[line, "", ""] for line in lines])} for place, lines in blocks.items()
    ]
    monkeypatch.setattr(check_rules, "leaf_of", lambda pipeline: leaf)
    columns = tuple(map(list, zip(*verdicts_of(None, 3), strict=True)))
    assert columns == (["가", "나", "다"], [""] * 3, [""] * 3)


def test_rows_that_were_lost_are_counted(tmp_path: Path) -> None:
    pipeline = build_check_pipeline(write([raw("하나")], tmp_path), LIMITS, cache_dir=tmp_path / "cache", replicas=1)
    with pytest.raises(RuntimeError, match="2 of 3 rows were lost on the way; see the log above"):
        verdicts_of(pipeline, 3)


@pytest.mark.parametrize("column", ["product", "category", "values", "ad_copy", "source"])
def test_a_row_without_a_column_is_like_one_where_it_is_empty(tmp_path: Path, column: str) -> None:
    empty = [] if column == "values" else ""
    whole, without = raw("부엌이  먼저 깬다"), raw("부엌이  먼저 깬다", **{column: None})
    assert verdicts([whole, without], tmp_path) == [alone(whole), alone(whole | {column: empty})]


def test_nothing_is_written_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    cache = Path(os.environ["DISTILABEL_CACHE"])
    before = sorted(cache.rglob("*"))
    verdicts([raw("부엌이 먼저 깬다")], tmp_path)
    assert list(here.iterdir()) == []
    assert sorted(cache.rglob("*")) == before
