"""How fast and lean the filters are over many rows, beside other tools that look for near-duplicates.

    python -m tests.bench.dataset
    python -m tests.bench.dataset --smoke
    python -m tests.bench.dataset --rows 100000 --no-ray --profile

Last line of stdout: one JSON object, its keys are explained in tests/bench/README.md. The rows are recombined from the
reference rows; where those are not on the machine, the bench says so and ends.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.dataset import baselines
from tests.bench.dataset.recombined import recombined, write
from tests.bench.memory import memory_measure, peak_memory
from tests.bench.processes import run, started
from tests.bench.reference import rows_for
from tests.bench.report import finish, parser_of, say


@dataclass(frozen=True)
class Size:
    """How many rows, and how often the tools look for near-duplicates.

    Attributes:
        rows: that all filters see; a tenth of them is filtered too.
        subset: in which the tools look for near-duplicates.
        on_ray: that go through Ray too.
    """

    rows: int
    subset: int
    on_ray: int
    repeats: int


FULL = Size(rows=1_000_000, subset=100_000, on_ray=20_000, repeats=3)
#: Enough rows for the rules to run in processes of their own.
SMOKE = Size(rows=12_000, subset=2_000, on_ray=1_000, repeats=1)
#: Rows that the rules go through alone, for their share of the time.
SAMPLE = 20_000
OURS, BASELINES = "tests.bench.dataset.ours", "tests.bench.dataset.baselines"
KEYS = (
    *("ours_rows_s", "distilabel_rows_s", "datasketch_rows_s", "ratio", "million_seconds", "million_rss_gb"),
    *("hundred_thousand_seconds", "hundred_thousand_rss_gb", "recall_distilabel", "recall_datasketch"),
    *("ray_same_ids", "accepted_million"),
)


def near_duplicates(file: Path, count: int, repeats: int) -> dict[str, Any]:
    """Rows a second of all three on the first rows of a file, and what share of ours the others find."""
    seconds: dict[str, list[float]] = {"ours": [], **{tool: [] for tool in baselines.TOOLS}}
    flagged: dict[str, set[int]] = {}
    packages = baselines.packages()
    selections = []
    for _ in range(repeats):
        ours = run(f"{OURS} selection", file=file, rows=count)
        seconds["ours"].append(ours["seconds"])
        selections.append(ours["selection_seconds"])
        for tool in baselines.TOOLS:
            theirs = run(f"{BASELINES} {tool}", packages=packages, file=file, rows=count)
            seconds[tool].append(theirs["seconds"])
            flagged[tool] = set(theirs["flagged"])
    near = set(ours["near"])
    selection = count / min(selections)
    say(f"{len(near):,} of {count:,} rows are near-duplicates; our whole selection: {selection:,.0f} rows/s")
    figures: dict[str, Any] = {f"{name}_rows_s": count / min(taken) for name, taken in seconds.items()}
    for name, taken in seconds.items():
        say(f"{name}: {' '.join(f'{each:.2f}' for each in taken)} s")
    for tool, places in flagged.items():
        say(f"{tool}: {len(places):,} rows flagged, {len(places - near):,} of them no near-duplicates")
        figures[f"recall_{tool}"] = len(places & near) / len(near) if near else None
    best = max(figures[f"{tool}_rows_s"] for tool in baselines.TOOLS)
    return {**figures, "ratio": figures["ours_rows_s"] / best}


def filtering(file: Path, count: int, name: str, folder: Path, *, profile: bool) -> dict[str, Any]:
    """Seconds and peak memory of all that the filters do to a file of so many rows, and the rows they accept."""
    with started(f"{OURS} whole", file=file, folder=folder) as client:
        peak = peak_memory(client.process)
        result = client.result()
    memory = f"{peak / 1e9:.2f} GB {memory_measure().__name__}"
    say(
        f"{count:,} rows: {result['seconds']:.1f} s, {count / result['seconds']:,.0f} rows/s, {memory}, "
        f"{result['accepted']:,} rows accepted"
    )
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
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=None, help="in place of the million; a tenth of it is filtered too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-ray", action="store_true", help="leave Ray out")
    parser.add_argument("--profile", action="store_true", help="say where the seconds of the million go")
    args = parser.parse_args()
    size = SMOKE if args.smoke else FULL
    size = replace(size, rows=args.rows or size.rows)
    reference = rows_for(args.smoke)
    figures: dict[str, Any] = dict.fromkeys(KEYS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = {
            "ray": min(size.on_ray, size.rows),
            "subset": min(size.subset, size.rows),
            "hundred_thousand": size.rows // 10,
            "million": size.rows,
        }
        say(f"-- rows: {', '.join(f'{count:,}' for count in counts.values())}")
        files = {
            name: write(recombined(reference, args.seed), count, folder / f"{name}.parquet")
            for name, count in counts.items()
        }
        say("-- near-duplicates")
        figures |= near_duplicates(files["subset"], counts["subset"], size.repeats)
        if not args.no_ray:
            say("-- Ray")
            figures["ray_same_ids"] = same_on_ray(files["ray"], folder)
        for name in ("hundred_thousand", "million"):
            say(f"-- {name.replace('_', ' ')}")
            profile = args.profile and name == "million"
            figures |= filtering(files[name], counts[name], name, folder / name, profile=profile)
    figures = {key: figures[key] for key in KEYS}
    for key, value in figures.items():
        say(f"{key:<26}{f'{value:,.2f}' if isinstance(value, float) else value!s:>12}")
    finish(figures)


if __name__ == "__main__":
    main()
