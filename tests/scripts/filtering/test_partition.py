"""Few rows are checked here and many in processes of their own: nobody can tell which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from model_card.judging.facts import Calibration
from model_card.judging.sense.gate import Gate
from model_card.statistics import Interval
from pipelines.rows import Scorable, make_row
from scripts.core.settings import Recipe
from scripts.filtering import partition
from tests.limits import LIMITS

ROWS = [
    make_row("알로에 수분 젤", ["순한"], "밤새 피부 재생을 돕는 초록", category="스킨케어", source="written"),
    make_row("알로에 화분", ["순한"], "밤새 물을 머금는 초록", source="imported"),
    make_row("모카포트", ["여유"], '"부엌이  먼저 깬다"', source="synthesised"),
    make_row("모카포트", ["여유"], "여유를 끓이는 아침", source="synthesised"),
]


def test_here_and_in_other_processes_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [dict(row) for row in ROWS]
    here = partition.partition_by_rules(rows, LIMITS, tmp_path)
    monkeypatch.setattr(partition, "FEW", 0)
    assert partition.partition_by_rules(rows, LIMITS, tmp_path) == here
    passed, rejected = here
    assert [row["ad_copy"] for row in passed] == ["밤새 물을 머금는 초록", "부엌이 먼저 깬다"]
    assert [row["reason"] for row in rejected] == ["claim", "leak"]
    assert passed[1]["id"] == make_row("모카포트", ["여유"], "부엌이 먼저 깬다")["id"]


def test_only_lines_that_a_score_decides_on_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["부엌이 먼저 깬다", "첫 김이 오르면 주말", "불 위에서 듣는 새소리"]
    sources = ["imported", "written", "synthesised"]
    rows = [
        dict(make_row("모카포트", ["여유"], line, source=source)) for line, source in zip(lines, sources, strict=True)
    ]
    asked: list[list[str]] = []

    def log_odds(given: Sequence[Scorable]) -> list[float]:
        asked.append([row["ad_copy"] for row in given])
        return [2.0] * len(given)

    calibration = Calibration(1.0, 0.0, Interval(0.86, 0.8, 0.9), Interval(0.9, 0.85, 0.95), {}, 100, True)
    gate = Gate("a judge", calibration, 0.9, "", 0.8, log_odds)
    kept, rejected = partition.partition_passed(rows, LIMITS, gate, Recipe())
    assert asked == [lines[2:]]
    assert [(row["ad_copy"], row.get("scores")) for row in kept] == [(lines[0], None), (lines[1], None)]
    assert [(row["ad_copy"], row["reason"], row["evidence"]) for row in rejected] == [
        (lines[2], "judge", "sense 0.881 < 0.900")
    ]
