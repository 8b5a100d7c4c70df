"""Few rows are checked here and many in processes of their own: nobody can tell which."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.rows import make_row
from scripts.filtering import partition
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
