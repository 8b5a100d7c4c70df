"""Runs the benches one after the other, and keeps their figures.

    python -m tests.bench
    python -m tests.bench --only train
    python -m tests.bench --smoke

A JSON line a bench on stdout, at full size appended to tests/bench/results.jsonl, too. Exit status 1 where a bench
failed; the others run all the same. README.md explains the figures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.bench.processes import ROOT
from tests.bench.report import parser_of, say

BENCHES = ("synthesis", "dataset", "train", "judge", "space")
RESULTS = Path(__file__).parent / "results.jsonl"


class BenchFailedError(Exception):
    """A bench ended without figures."""


def figures_of(bench: str, *flags: str) -> dict[str, Any]:
    """Run a bench to its end, and give the JSON object on its last line of stdout.

    Raises:
        BenchFailedError: it failed, or its last line is none.
    """
    command = [sys.executable, "-m", f"tests.bench.{bench}", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            out, _ = process.communicate()
        finally:
            process.terminate()  # not killed: it has processes of its own to end
    try:
        figures = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        figures = None
    if process.returncode or not isinstance(figures, dict):
        raise BenchFailedError(f"it ended with {process.returncode}")
    return figures


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = round(psutil.virtual_memory().total / 1e9, 1)
    return {"cores": os.cpu_count(), "memory_gb": memory, "cpu": cpu_model(), "python": platform.python_version()}


def cpu_model() -> str:
    """The processor's name; its architecture where the system does not say."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str:
    """The commit that is measured, with `-dirty` where files differ from it; `unknown` outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip() or "unknown"


def measured(bench: str, smoke: bool) -> dict[str, Any]:
    """Run a bench: its name, size and date, and either its figures and how long it took, or why it was skipped.

    Raises:
        BenchFailedError: see `figures_of`.
    """
    started = time.monotonic()
    figures = figures_of(bench, *(["--smoke"] if smoke else []))
    line = {"bench": bench, "date": f"{datetime.now(UTC):%Y-%m-%d}", "smoke": smoke}
    if "skipped" in figures:
        return line | figures
    return line | {"seconds": round(time.monotonic() - started, 1), "figures": figures}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", choices=BENCHES, help="run this bench alone")
    args = parser.parse_args()
    where = {"commit": commit(), "machine": machine()}
    failed = []
    for bench in [args.only] if args.only else BENCHES:
        say(f"== {bench}")
        try:
            line = where | measured(bench, args.smoke)
        except BenchFailedError as error:
            failed.append(bench)
            say(f"{bench} failed: {error}")
            continue
        text = json.dumps(line, ensure_ascii=False)
        print(text, flush=True)
        if "figures" in line and not args.smoke:
            with RESULTS.open("a", encoding="utf-8") as results:
                results.write(text + "\n")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
