"""The documentation's figures are those that the benches found last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs import figures

MACHINE = {"cores": 2, "memory_gb": 16.0, "cpu": "a", "python": "3.11"}
TRAIN = {"ratio_stock": 5.94, "ratio_bare": 1.091, "loss_ours": 2.494, "loss_stock": 2.49, "loss_bare": 2.5}
KINDS = {"pv": ("other_product", "other_value"), "naturalness": ("shuffled", "wrong_ending", "model_made")}


def result(bench: str, found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    line = {"bench": bench, "commit": "0123456789abcdef-dirty", "date": "2026-11-27", "smoke": False}
    return {**line, "machine": MACHINE, "figures": found, **changes}


@pytest.mark.parametrize("document", figures.WRITERS)
def test_figures_are_those_of_the_newest_results(document: str) -> None:
    expected = figures.WRITERS[document](figures.newest())
    if not expected:
        pytest.skip(f"no full-size result in {figures.RESULTS.name} yet")
    assert figures.block_of(document) == expected, "`python -m tests.docs.figures` writes them"


def test_newest_result_of_each_bench_at_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path / "results.jsonl")
    assert figures.newest() == {}
    lines = [
        result("train", TRAIN, commit="old"),
        result("train", TRAIN, commit="new"),
        result("train", TRAIN, commit="small", smoke=True),
        result("judge", {}, smoke=True),
    ]
    figures.RESULTS.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert {bench: found["commit"] for bench, found in figures.newest().items()} == {"train": "new"}


def test_readme_table_is_rounded_and_leaves_out_what_was_not_run() -> None:
    assert figures.readme_table({"train": result("train", TRAIN)}) == (
        "| bench | measured | on |\n|---|---|---|\n"
        "| `train` | without a GPU 5.9 times the pace of TRL's `SFTTrainer` and 1.09 of a bare loop's; "
        "held-out loss 2.49 (2.49 and 2.50) | 2 cores, 2026-11-27, `01234567` |\n"
    )
    assert figures.readme_table({}) == ""


def test_judges_table_has_mean_bound_and_kinds() -> None:
    areas = dict.fromkeys(KINDS, 0.917)
    kinds = {metric: dict.fromkeys(names, 0.954) for metric, names in KINDS.items()}
    found = {"auc": areas, "auc_low": dict.fromkeys(KINDS, 0.9), "auc_shown": areas, "kinds": kinds}
    table = figures.judges_table({"judge": result("judge", found)}).splitlines()
    assert table[0] == "|  | PV | Naturalness |"
    assert table[2] == "| trained as a judge | 0.92 [0.90] (0.95, 0.95) | 0.92 [0.90] (0.95, 0.95, 0.95) |"
    assert table[3] == "| the base behind eight examples | 0.92 | 0.92 |"
