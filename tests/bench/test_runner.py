"""`python -m tests.bench`: what it keeps, and what becomes of a bench that fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as runner

FIGURES = {"rows_s": 3.5}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results file of a runner whose benches do nothing: `train` fails, `judge` is skipped."""

    def figures_of(bench: str, *flags: str) -> dict[str, Any]:
        if bench == "train":
            raise runner.BenchFailedError("it ended with 3")
        return {"skipped": "no rows"} if bench == "judge" else FIGURES

    path = tmp_path / "results.jsonl"
    monkeypatch.setattr(runner, "RESULTS", path)
    monkeypatch.setattr(runner, "figures_of", figures_of)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> None:
    monkeypatch.setattr(sys, "argv", ["tests.bench", *args])
    runner.main()


def test_a_bench_that_fails_is_named_and_the_others_are_kept(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="failed: train"):
        run(monkeypatch)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["bench"] for line in lines] == ["synthesis", "dataset", "judge", "space"]
    assert lines[2]["skipped"] == "no rows"
    assert [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] == [
        lines[0],
        lines[1],
        lines[3],
    ]
    assert lines[0].keys() == {"bench", "commit", "date", "machine", "smoke", "seconds", "figures"}
    assert lines[0]["figures"] == FIGURES
    assert lines[0]["machine"].keys() == {"cores", "memory_gb", "cpu", "python"}


def test_results_are_added_to_and_smoke_runs_are_not_kept(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--only", "dataset")
    run(monkeypatch, "--only", "dataset")
    run(monkeypatch, "--only", "dataset", "--smoke")
    assert [json.loads(line)["smoke"] for line in capsys.readouterr().out.splitlines()] == [False, False, True]
    assert len(results.read_text(encoding="utf-8").splitlines()) == 2


def test_a_bench_without_figures_has_failed() -> None:
    with pytest.raises(runner.BenchFailedError, match="ended with 1"):
        runner.figures_of("no_such_bench")
