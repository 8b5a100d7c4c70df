"""How many worn-out lines are found, and how many fresh ones, on lines by a writer who saw none of the others.

`cliches_probe.jsonl`: lines by one writer for 200 products, each with a worn-out and a fresh line. Neither the forms
nor the wording were made from it: what is to be improved is read off `cliches/lines.jsonl`, and never off the probe.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.corpus import load_corpus
from pipelines.filters.rules import template
from pipelines.filters.rules.cliches import wording
from pipelines.filters.rules.cliches.forms import listed_cliche, load_forms
from pipelines.slogans import load_slogans

PROBE, LEARNT = (
    [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for path in (Path(__file__).parent / "cliches_probe.jsonl", wording.LINES)
)


def share_found(worn: bool, lines: list[dict] = PROBE) -> float:
    rows = [row for row in lines if row["worn"] is worn]
    return sum(template.cliche_of(row["line"]) is not None for row in rows) / len(rows)


def test_half_of_the_probe_is_worn_out_and_none_of_it_was_learnt_from() -> None:
    assert len(PROBE) == 400 and [row["worn"] for row in PROBE].count(True) == 200
    forms = [line for form in load_forms() for line in (*form["hits"], *form["fine"])]
    others = [*(row["line"] for row in LEARNT), *(row["ad_copy"] for row in (*load_corpus(), *load_slogans())), *forms]
    assert {line.strip(wording.MARKS) for line in others}.isdisjoint(row["line"].strip(wording.MARKS) for row in PROBE)


def test_worn_out_lines_are_found_and_fresh_ones_let_through() -> None:
    assert share_found(worn=True) >= 0.87
    assert share_found(worn=False) <= 0.01


def test_the_lists_alone_find_a_third() -> None:
    worn = [row["line"] for row in PROBE if row["worn"]]
    assert sum(listed_cliche(line) is not None for line in worn) / len(worn) == pytest.approx(0.355, abs=0.02)


def test_the_fit_agrees_with_its_own_lines() -> None:
    assert share_found(worn=True, lines=LEARNT) >= 0.9
    assert share_found(worn=False, lines=LEARNT) <= 0.01


def test_few_real_slogans_are_worded_like_cliches() -> None:
    assert sum(wording.log_odds(row["ad_copy"]) >= template.LEAST for row in load_slogans()) <= 12


def test_the_evidence_is_the_word_that_tells_most() -> None:
    found = ((row["line"], template.cliche_of(row["line"]) or "") for row in LEARNT if row["worn"])
    line, evidence = next((line, evidence) for line, evidence in found if evidence.startswith("wording "))
    assert evidence.removeprefix("wording ") in line.strip(wording.MARKS).split()
