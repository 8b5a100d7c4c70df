"""Few rows are checked here and many in processes of their own: nobody can tell which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfUri

from pipelines.metrics import METRICS
from pipelines.rows import make_row
from scripts.core.settings import Recipe
from scripts.filtering import partition
from scripts.filtering.partition import Rows
from tests.limits import LIMITS

ROWS = [
    make_row("알로에 수분 젤", ["순한"], "밤새 피부 재생을 돕는 초록", category="스킨케어", source="written"),
    make_row("알로에 수분 젤", ["순한"], "밤새 피부 재생을 돕는 초록", source="imported"),
    make_row("모카포트", ["여유"], '"부엌이  먼저 깬다"', source="synthesised"),
    make_row("모카포트", ["여유"], "여유를 끓이는 아침", source="synthesised"),
]


def test_here_and_in_other_processes_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [dict(row) for row in ROWS]
    here = partition.partition_by_rules(rows, LIMITS, tmp_path)
    monkeypatch.setattr(partition, "FEW", 0)
    assert partition.partition_by_rules(rows, LIMITS, tmp_path) == here
    passed, rejected = here
    assert [row["ad_copy"] for row in passed] == ["밤새 피부 재생을 돕는 초록", "부엌이 먼저 깬다"]
    assert [row["reason"] for row in rejected] == ["claim", "leak"]  # what skin care may not say, a gel may
    assert passed[1]["id"] == make_row("모카포트", ["여유"], "부엌이 먼저 깬다")["id"]


def test_only_lines_that_a_score_decides_on_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["부엌이 먼저 깬다", "첫 김이 오르면 주말", "불 위에서 듣는 새소리"]
    sources = ["imported", "written", "synthesised"]
    rows = [
        dict(make_row("모카포트", ["여유"], line, source=source)) for line, source in zip(lines, sources, strict=True)
    ]
    asked: list[tuple[list[str], list[str]]] = []

    def add_scores(doubtful: Rows, people: Rows, *_: Any) -> list[dict[str, Any]]:
        asked.append(([row["source"] for row in doubtful], [row["source"] for row in people]))
        marks = {"imported": 0.1, "synthesised": 0.9}
        return [row | {"scores": dict.fromkeys(METRICS, marks[row["source"]])} for row in doubtful]

    monkeypatch.setattr(partition, "add_scores", add_scores)
    base = HfUri(type="model", id="nobody/none", revision="0" * 40)
    kept, rejected = partition.partition_passed(rows, LIMITS, base, Recipe())
    assert asked == [(["imported", "synthesised"], ["imported", "written"])]
    assert [(row["ad_copy"], row.get("scores")) for row in kept] == [
        (lines[1], None),
        (lines[2], dict.fromkeys(METRICS, 0.9)),
    ]
    assert [(row["ad_copy"], row["reason"]) for row in rejected] == [(lines[0], "judge")]
