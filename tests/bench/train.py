"""How fast the trainer is, against TRL's own and against a bare PyTorch loop.

`python -m tests.bench.train` takes about ten minutes on two cores; its last line on stdout is one JSON object. Gemma 3
270M, LoRA r=16 on all linear layers, reference rows, batches of 16 rows in the same order for all, no GPU. The three
run in turn, `--pairs` times over, each in a fresh process; speeds are medians of the rounds, ratios the medians of the
ratios within a round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download

from pipelines.rows import make_row, split_of, trl_columns
from scripts.hub.session import hub_session
from tests.bench.processes import ROOT

DATA = ROOT.parent / "shared" / "data" / "reference_copy.json"
BATCH, STEPS, HELD_OUT, ROUNDS = 16, 24, 128, 2
KINDS = ("stock", "ours", "bare")


def reference(steps: int) -> tuple[list[Any], list[Any]]:
    """Rows for as many steps, longest first so that batches hold rows of a length, and held-out ones."""
    rows = [
        make_row(row["상품"], [row["담고자 하는 가치"].strip(' "')], row["카피라이팅"].strip(' "'))
        for row in json.loads(DATA.read_text(encoding="utf-8"))
    ]
    train = [row for row in rows if split_of(row["product"]) == "train"][: BATCH * steps]
    held_out = [row for row in rows if split_of(row["product"]) == "validation"][:HELD_OUT]
    batches = sorted(train, key=lambda row: -len(row["ad_copy"] + row["product"] + row["values"][0]))
    spread = [batches[i * BATCH : (i + 1) * BATCH] for i in range(steps)]
    order = sorted(range(steps), key=lambda i: (i * 7) % steps)  # long and short batches in turn
    return [trl_columns(row) for i in order for row in spread[i]], [trl_columns(row) for row in held_out]


def base_folder() -> str:
    """The embedded model, dequantised, from the local Hub."""
    with hub_session(local=True) as hub:
        from scripts.models.embedded import ensure_base

        base = ensure_base(hub)
        return snapshot_download(base.id, revision=base.revision)


def run(kind: str, plan: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.trainers", kind, str(plan)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def summary(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, float]:
    """Medians over rounds."""

    def median(kind: str, key: str) -> float:
        return statistics.median(one[kind][key] for one in rounds)

    def ratio(other: str) -> float:
        return statistics.median(one["ours"]["samples_s"] / one[other]["samples_s"] for one in rounds)

    return {
        **{f"{kind}_samples_s": median(kind, "samples_s") for kind in KINDS},
        "ratio_stock": ratio("stock"),
        "ratio_bare": ratio("bare"),
        **{f"loss_{kind}": median(kind, "loss") for kind in KINDS},
        **{f"rss_{kind}_gb": median(kind, "rss_gb") for kind in KINDS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--pairs", type=int, default=ROUNDS, help="rounds of all three")
    parser.add_argument("--base", help="folder of a base, instead of the embedded model")
    args = parser.parse_args()
    rows, held_out = reference(args.steps)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        base = args.base or base_folder()
        plan.write_text(json.dumps({"base": base, "rows": rows, "held_out": held_out, "batch": BATCH}))
        rounds = []
        for number in range(args.pairs):
            rounds.append({kind: run(kind, plan) for kind in KINDS})
            for kind, found in rounds[-1].items():
                told = f"{found['samples_s']:.2f} samples/s, loss {found['loss']:.4f}, {found['rss_gb']:.2f} GB"
                print(f"round {number + 1}, {kind}: {told}, steps {found['steps']}", file=sys.stderr, flush=True)
    print(json.dumps({name: round(value, 4) for name, value in summary(rounds).items()}))


if __name__ == "__main__":
    main()
