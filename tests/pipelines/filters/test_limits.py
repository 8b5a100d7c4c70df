"""Limits as somebody's own pipeline makes them: nothing from `scripts` is needed."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from pydantic import ValidationError

from pipelines.filters.filter_rows import filter_rows
from pipelines.filters.limits import Limits
from pipelines.rows import make_row
from pipelines.slogans import load_slogans
from pipelines.text.line_index import Lines


def test_they_work_as_they_are() -> None:
    slogan = load_slogans()[0]["ad_copy"]
    rows = [dict(make_row("모카포트", ["여유"], line, source="synthesised")) for line in (slogan, "부엌이 먼저 깬다")]
    kept, rejected = filter_rows(rows, Limits())
    assert [row["ad_copy"] for row in kept] == ["부엌이 먼저 깬다"]
    assert [(row["ad_copy"], row["reason"]) for row in rejected] == [(slogan, "slogan")]


def test_nothing_of_the_command_is_imported() -> None:
    probe = "import sys, pipelines.filters.steps; print([name for name in sys.modules if name.startswith('scripts')])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lines_and_thresholds_may_be_given() -> None:
    found = Limits(slogans=["여행은 살아보는 거야"], reserved=Lines(["월요일도 반쯤은 금요일"]), max_chars=40)
    assert found.slogans == Lines(["여행은 살아보는 거야"])
    assert (found.max_chars, found.min_chars, found.gated) == (40, 4, False)


def test_the_shipped_slogans_are_indexed_once() -> None:
    assert Limits().slogans is Limits(min_precision=0.9).slogans


@pytest.mark.parametrize(
    "wrong", [{"engine": "ray"}, {"min_precision": 1.5}, {"max_similarity": 0}, {"keep_per_pair": 0}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Limits.model_validate(wrong)


def test_they_go_to_other_processes_and_into_files() -> None:
    found = Limits(min_chars=5, slogans=["여행은 살아보는 거야"])
    assert pickle.loads(pickle.dumps(found)) == found
    assert Limits.model_validate_json(found.model_dump_json()) == found
