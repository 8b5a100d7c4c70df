"""How many restricted lines the claims find, and how many innocent ones, on lines that they were not written from.

`claims_probe.jsonl`: 400 lines by two readers, half of them restricted, with the law that restricts them. The claims
were written by `fit`, the lines of one reader; those of the other are `held_out`: to improve the claims, read the first
and never the second. Their rates were looked at while the claims were written, and flatter them a little.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.filters.limits import Limits
from pipelines.filters.rules import claim

PROBE = [
    json.loads(line) for line in (Path(__file__).parent / "claims_probe.jsonl").read_text(encoding="utf-8").splitlines()
]
LIMITS = Limits()


def share_found(part: str, restricted: bool) -> float:
    rows = [row for row in PROBE if row["part"] == part and row["restricted"] is restricted]
    return sum(claim.check(row | {"ad_copy": row["line"]}, LIMITS) is not None for row in rows) / len(rows)


@pytest.mark.parametrize("part", ["fit", "held_out"])
def test_the_probe_has_as_many_restricted_as_innocent_lines(part: str) -> None:
    assert [row["restricted"] for row in PROBE if row["part"] == part].count(True) == 100
    assert [row["restricted"] for row in PROBE if row["part"] == part].count(False) == 100


@pytest.mark.parametrize(("part", "recall"), [("fit", 0.95), ("held_out", 0.85)])
def test_restricted_lines_are_found(part: str, recall: float) -> None:
    assert share_found(part, restricted=True) >= recall


@pytest.mark.parametrize(("part", "false_alarms"), [("fit", 0.05), ("held_out", 0.10)])
def test_innocent_lines_are_let_through(part: str, false_alarms: float) -> None:
    assert share_found(part, restricted=False) <= false_alarms
