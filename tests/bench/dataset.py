"""How fast and lean the filters are over many rows, beside other tools that look for near-duplicates.

`python -m tests.bench.dataset` takes about seven minutes on two cores; its last line on stdout is one JSON object. Its
rows are made of the reference rows, see `tests.bench.recombined`; where those are not there it ends and says so.

    ours_rows_s             rows a second that we part into kept ones and near-duplicates, on 100,000 rows
    distilabel_rows_s       of distilabel's `MinHashDedup`, on the same rows, in turn with ours, best of three
    datasketch_rows_s       of datasketch's `MinHashLSH`, likewise
    ratio                   ours over the better of the two
    recall_…                share of the near-duplicates, by an exact count, that it calls so too; ours are exact
    million_seconds         rules, selection and writing of the Parquet files, as by `hanjul filter` without a judge
    million_rss_gb          memory that this took at most, all processes together, in GB (PSS where the kernel keeps it)
    accepted_million        rows kept of it
    hundred_thousand_…      the same for a tenth of the rows
    ray_same_ids            whether rules on Ray lead to the same rows, in the same order
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import baselines
from tests.bench.memory import memory_measure, peak_memory
from tests.bench.processes import run, started
from tests.bench.recombined import recombined, reference_rows, write
from tests.bench.synthesis import say

ROWS = 1_000_000
#: Rows for the tools.
SUBSET = 100_000
#: Rows that go through Ray too.
ON_RAY = 20_000
REPEATS = 3
#: Rows that the rules go through alone, for their share of the time.
SAMPLE = 20_000
OURS, THEIRS = "tests.bench.filtering", "tests.bench.baselines"
KEYS = (
    *("ours_rows_s", "distilabel_rows_s", "datasketch_rows_s", "ratio", "million_seconds", "million_rss_gb"),
    *("hundred_thousand_seconds", "hundred_thousand_rss_gb", "recall_distilabel", "recall_datasketch"),
    *("ray_same_ids", "accepted_million"),
)


def near_duplicates(file: Path, count: int) -> dict[str, Any]:
    """Rows a second of all three on the first rows of a file, and what share of ours the others find."""
    seconds: dict[str, list[float]] = {"ours": [], **{tool: [] for tool in baselines.TOOLS}}
    flagged: dict[str, set[int]] = {}
    packages = baselines.packages()
    whole = []
    for _ in range(REPEATS):
        ours = run(f"{OURS} selection", file=file, rows=count)
        seconds["ours"].append(ours["seconds"])
        whole.append(ours["selection_seconds"])
        for tool in baselines.TOOLS:
            theirs = run(f"{THEIRS} {tool}", packages=packages, file=file, rows=count)
            seconds[tool].append(theirs["seconds"])
            flagged[tool] = set(theirs["flagged"])
    near = set(ours["near"])
    say(f"{len(near):,} of {count:,} rows are near-duplicates; our whole selection: {count / min(whole):,.0f} rows/s")
    found: dict[str, Any] = {f"{name}_rows_s": count / min(taken) for name, taken in seconds.items()}
    for name, taken in seconds.items():
        say(f"{name}: {' '.join(f'{each:.2f}' for each in taken)} s")
    for tool, places in flagged.items():
        say(f"{tool}: {len(places):,} rows flagged, {len(places - near):,} of them no near-duplicates")
        found[f"recall_{tool}"] = len(places & near) / len(near) if near else None
    best = max(found[f"{tool}_rows_s"] for tool in baselines.TOOLS)
    return {**found, "ratio": found["ours_rows_s"] / best}


def filtering(file: Path, count: int, name: str, folder: Path, *, profile: bool) -> dict[str, Any]:
    """Seconds and peak memory of all that the filters do to a file of so many rows, and the rows they accept."""
    with started(f"{OURS} whole", file=file, folder=folder) as client:
        peak = peak_memory(client.process)
        result = client.result()
    taken = f"{peak / 1e9:.2f} GB {memory_measure().__name__}, {result['accepted']:,} rows accepted"
    say(f"{count:,} rows: {result['seconds']:.1f} s, {count / result['seconds']:,.0f} rows/s, {taken}")
    say(f"rejected: {result['rejected']}")
    if profile:
        say_profile(file, count, result)
    return {f"{name}_seconds": result["seconds"], f"{name}_rss_gb": peak / 1e9, f"accepted_{name}": result["accepted"]}


def say_profile(file: Path, count: int, result: dict[str, Any]) -> None:
    """Say where the seconds went.

    What the rules take is reckoned from a few rows and the cores; the rest of their stage, such as loading Kiwi and
    distilabel's handing over of batches, is called pipeline.
    """
    parts = dict(result["parts"])
    alone = run(f"{OURS} rules", file=file, rows=SAMPLE)["seconds"] * count / (os.cpu_count() or 1)
    parts |= {"rules": alone, "pipeline": parts["rules"] - alone}
    for part, seconds in sorted(parts.items(), key=lambda part: -part[1]):
        say(f"  {part:<10}{seconds:>8.1f} s {seconds / result['seconds']:>6.0%}")


def same_on_ray(file: Path, folder: Path) -> bool:
    """Whether the accepted ids are the same with the rules on Ray."""
    local, ray = (run(f"{OURS} whole", file=file, folder=folder / engine, engine=engine) for engine in ("local", "ray"))
    say(f"local: {local['seconds']:.1f} s; Ray: {ray['seconds']:.1f} s")
    return bool(local["ids"] == ray["ids"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS, help="in place of the million; a tenth of it is filtered too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-ray", action="store_true", help="leave Ray out")
    parser.add_argument("--profile", action="store_true", help="say where the seconds of the million go")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that no process is left behind
    reference = reference_rows()
    found: dict[str, Any] = dict.fromkeys(KEYS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = {
            "ray": min(ON_RAY, args.rows),
            "subset": min(SUBSET, args.rows),
            "hundred_thousand": args.rows // 10,
            "million": args.rows,
        }
        say(f"-- rows: {', '.join(f'{count:,}' for count in counts.values())}")
        files = {
            name: write(recombined(reference, args.seed), count, folder / f"{name}.parquet")
            for name, count in counts.items()
        }
        say("-- near-duplicates")
        found |= near_duplicates(files["subset"], counts["subset"])
        if not args.no_ray:
            say("-- Ray")
            found["ray_same_ids"] = same_on_ray(files["ray"], folder)
        for name in ("hundred_thousand", "million"):
            say(f"-- {name.replace('_', ' ')}")
            profile = args.profile and name == "million"
            found |= filtering(files[name], counts[name], name, folder / name, profile=profile)
    found = {key: found[key] for key in KEYS}
    for key, value in found.items():
        say(f"{key:<26}{f'{value:,.2f}' if isinstance(value, float) else value!s:>12}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
