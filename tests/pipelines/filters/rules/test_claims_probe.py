"""How many restricted lines the claims find, and how many innocent ones, on lines that they were not written from.

`claims_probe.jsonl`: 600 lines by three readers, half of them restricted, with the law that restricts them. The claims
were written by `fit`, the lines of the first reader, and widened by `fit_2`, those of the third. Before that they found
0.72 of the restricted lines of `fit_2` and 0.14 of the innocent ones, which says more about new lines than their rates
of today. The second reader's are `held_out`: to improve the claims, read the other two and never these. Their rates
were looked at while the claims were written, and flatter them a little.
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


@pytest.mark.parametrize("part", ["fit", "fit_2", "held_out"])
def test_the_probe_has_as_many_restricted_as_innocent_lines(part: str) -> None:
    assert [row["restricted"] for row in PROBE if row["part"] == part].count(True) == 100
    assert [row["restricted"] for row in PROBE if row["part"] == part].count(False) == 100


@pytest.mark.parametrize(("part", "recall"), [("fit", 0.95), ("fit_2", 0.95), ("held_out", 0.85)])
def test_restricted_lines_are_found(part: str, recall: float) -> None:
    assert share_found(part, restricted=True) >= recall


@pytest.mark.parametrize(("part", "false_alarms"), [("fit", 0.05), ("fit_2", 0.05), ("held_out", 0.10)])
def test_innocent_lines_are_let_through(part: str, false_alarms: float) -> None:
    assert share_found(part, restricted=False) <= false_alarms
