"""How fast the trainer is, against TRL's own and against a bare PyTorch loop.

    python -m tests.bench.train
    python -m tests.bench.train --smoke

Last line of stdout: one JSON object, its keys are explained in tests/bench/README.md. Gemma 3 270M, LoRA r=16 on all
linear layers, reference rows, batches of 16 rows in the same order for all, no GPU. The three run in turn, `--rounds`
times over, each in a fresh process; speeds are medians of the rounds, ratios the medians of the ratios within a round.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.rows import Row, split_of, trl_columns
from tests.bench.processes import run
from tests.bench.reference import rows_for
from tests.bench.report import finish, parser_of, say

BATCH = 16
KINDS = ("stock", "ours", "bare")


@dataclass(frozen=True)
class Size:
    """Optimiser steps of a run, rows on which its loss is measured, rounds of all three."""

    steps: int
    held_out: int
    rounds: int


FULL, SMOKE = Size(steps=24, held_out=128, rounds=2), Size(steps=6, held_out=32, rounds=1)


def plan_of(rows: Sequence[Row], size: Size, base: str) -> dict[str, Any]:
    """What all three get: rows for the steps, each batch of about one length, and held-out rows."""
    train = [row for row in rows if split_of(row["product"]) == "train"][: BATCH * size.steps]
    held_out = [row for row in rows if split_of(row["product"]) == "validation"][: size.held_out]
    sized = sorted(train, key=lambda row: -len(row["ad_copy"] + row["product"] + row["values"][0]))
    batches = [sized[i * BATCH : (i + 1) * BATCH] for i in range(size.steps)]
    order = sorted(range(size.steps), key=lambda i: (i * 7) % size.steps)  # long and short batches in turn
    return {
        "base": base,
        "batch": BATCH,
        "rows": [trl_columns(row) for i in order for row in batches[i]],
        "held_out": [trl_columns(row) for row in held_out],
    }


def base_folder(folder: Path, smoke: bool) -> str:
    """Where the base lies: the embedded model, dequantised, as the local Hub gives it; for a smoke run a tiny one."""
    if smoke:
        return str(run("tests.bench.train.bases tiny", folder=folder / "base")["base"])
    return str(run("tests.bench.with_local_hub tests.bench.train.bases embedded")["base"])


def rounds_of(plan: Path, count: int) -> list[dict[str, dict[str, Any]]]:
    """What each trainer measured, by round."""
    rounds = []
    for number in range(1, count + 1):
        rounds.append({kind: run(f"tests.bench.train.trainers {kind} {plan}") for kind in KINDS})
        for kind, one in rounds[-1].items():
            speed = f"{one['samples_s']:.2f} samples/s, loss {one['loss']:.4f}, {one['rss_gb']:.2f} GB"
            say(f"round {number}, {kind}: {speed}, steps {one['steps']}")
    return rounds


def summary(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, float]:
    """Medians over rounds."""

    def median(kind: str, key: str) -> float:
        return statistics.median(float(one[kind][key]) for one in rounds)

    def ratio(other: str) -> float:
        return statistics.median(float(one["ours"]["samples_s"] / one[other]["samples_s"]) for one in rounds)

    return {
        **{f"{kind}_samples_s": median(kind, "samples_s") for kind in KINDS},
        "ratio_stock": ratio("stock"),
        "ratio_bare": ratio("bare"),
        **{f"loss_{kind}": median(kind, "loss") for kind in KINDS},
        **{f"rss_{kind}_gb": median(kind, "rss_gb") for kind in KINDS},
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps of a run")
    parser.add_argument("--rounds", type=int, default=None, help="of all three")
    parser.add_argument("--base", help="folder of a base, instead of the embedded model")
    args = parser.parse_args()
    size = SMOKE if args.smoke else FULL
    size = Size(args.steps or size.steps, size.held_out, args.rounds or size.rounds)
    rows = rows_for(args.smoke)
    with tempfile.TemporaryDirectory() as name:
        plan = Path(name) / "plan.json"
        base = args.base or base_folder(Path(name), args.smoke)
        plan.write_text(json.dumps(plan_of(rows, size, base)), encoding="utf-8")
        figures = summary(rounds_of(plan, size.rounds))
    finish({name: round(value, 4) for name, value in figures.items()})


if __name__ == "__main__":
    main()
