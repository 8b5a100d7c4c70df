"""How many restricted lines the claims find, and how many innocent ones, on lines by readers who saw none of them.

`claims_probe.jsonl`: lines by two readers over fourteen fields of law, half of them restricted. Neither the patterns
nor the wording were made from it: what is to be improved is read off `claims/lines.jsonl`, and never off the probe.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.filters.limits import Limits
from pipelines.filters.rules import claim
from pipelines.filters.rules.claims import wording

PROBE, LEARNT = (
    [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for path in (Path(__file__).parent / "claims_probe.jsonl", wording.LINES)
)
LIMITS = Limits()


def share_found(restricted: bool, lines: list[dict] = PROBE) -> float:
    rows = [row for row in lines if row["restricted"] is restricted]
    return sum(claim.check(row | {"ad_copy": row["line"]}, LIMITS) is not None for row in rows) / len(rows)


def test_half_of_the_probe_is_restricted() -> None:
    assert len(PROBE) >= 900
    assert [row["restricted"] for row in PROBE].count(True) == pytest.approx(len(PROBE) / 2, rel=0.02)


def test_no_line_of_the_probe_was_learnt_from() -> None:
    assert {row["line"] for row in LEARNT}.isdisjoint(row["line"] for row in PROBE)


def test_restricted_lines_are_found() -> None:
    assert share_found(restricted=True) >= 0.85


def test_innocent_lines_are_let_through() -> None:
    assert share_found(restricted=False) <= 0.10


def test_lines_that_were_learnt_from_are_judged_as_labelled() -> None:
    assert share_found(restricted=True, lines=LEARNT) >= 0.95
    assert share_found(restricted=False, lines=LEARNT) <= 0.05
