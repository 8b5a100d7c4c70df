"""How fast, lean and sturdy the synthesis is, against a loopback teacher.

`python -m tests.bench.synthesis` takes about a quarter of an hour; its last line on stdout is one JSON object.
`--only PART` runs a part alone, and leaves the others null. Latencies are log-normal, median 200 ms and p99 2 s.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import kills
from tests.bench.loopback import loopback
from tests.bench.memory import memory_measure, peak_memory
from tests.bench.processes import IN_FLIGHT, OURS, run, started

ROWS = 5_000
#: Rows of the larger run of `memory`, and of `faults` and `kills`, per row of `speed`.
LARGER, FAULTY, KILLED = 10, 1 / 5, 1 / 10
KILLS = 20
FAULTS = {"limits": 0.10, "errors": 0.05, "resets": 0.03, "hangs": 0.03, "garbage": 0.05}
#: Seconds after which a client is to give a hanging request up.
TIMEOUT = 3
#: Requests a row that a client under faults may make: generous, 1.9 would do if nothing were lost twice.
REQUESTS_PER_ROW = 4
KEYS = ("plain_rows_s", "stock_rows_s", "ours_rows_s", "ratio", "rss_ratio", "cached_seconds", "cached_requests")


def speed(rows: int, folder: Path) -> dict[str, Any]:
    """Rows a second of all three, each on a server of its own with the same latencies; then ours from its cache."""
    options = {"rows": rows, "in_flight": IN_FLIGHT}
    found: dict[str, Any] = {}
    for name, module in (
        ("plain", "tests.bench.clients plain"),
        ("ours", OURS),
        ("stock", "tests.bench.clients stock"),
    ):
        folders = {"folder": folder / "speed"} if name == "ours" else {}
        with loopback(latency_by="arrival") as server:
            result = run(module, url=server.url, **options, **folders)
            stats = server.stats()
            found[f"{name}_rows_s"] = result["rows"] / result["seconds"]
            least = stats["latency_s"] / IN_FLIGHT
            say(
                f"{name}: {result['rows']} rows in {result['seconds']:.1f} s (latency alone: {least:.1f} s), "
                f"{stats['received']} requests, {stats['peak']} in flight at most, server CPU {stats['cpu_s']:.1f} s"
            )
            if name == "ours":
                again = run(module, url=server.url, **options, **folders)
                found["cached_seconds"] = again["seconds"]
                found["cached_requests"] = server.stats()["received"] - stats["received"]
                say(
                    f"ours again: {again['rows']} rows in {again['seconds']:.1f} s, {found['cached_requests']} requests"
                )
    return {**found, "ratio": found["ours_rows_s"] / found["plain_rows_s"]}


def memory(rows: int, folder: Path) -> dict[str, Any]:
    """Peak memory of ten times the rows over that of the rows, with a teacher fast enough to wait for."""
    peaks = []
    for count in (rows, rows * LARGER):
        options = {"rows": count, "in_flight": IN_FLIGHT, "folder": folder / f"memory-{count}"}
        with loopback(median=0.01, p99=0.1) as server, started(OURS, url=server.url, **options) as client:
            peaks.append(peak_memory(client.process))
            result = client.result()
        taken = f"{peaks[-1] / 2**20:.0f} MiB {memory_measure().__name__}"
        say(f"{result['rows']} rows: {taken} in {result['seconds']:.1f} s")
    return {"rss_ratio": peaks[1] / peaks[0]}


def faults(rows: int, folder: Path) -> dict[str, Any]:
    """Ours against a teacher that fails in every way and breaks rules."""
    rows = round(rows * FAULTY)
    cap = rows * REQUESTS_PER_ROW
    options = {"rows": rows, "in_flight": IN_FLIGHT, "timeout": TIMEOUT, "max_requests": cap}
    # By arrival, because a body that is late by nature would be late at each retry.
    with loopback(accept=kills.ACCEPT, latency_by="arrival", **FAULTS) as server:
        result = run(OURS, url=server.url, folder=folder / "faults", **options)
        stats = server.stats()
    say(f"faults: {stats['faults']}, {stats['peak']} in flight at most")
    counts = {name: result[name] for name in ("rows", "distinct", "seconds")}
    return {"faults": {**counts, "requests": stats["received"], "bound": cap}}


def killing(rows: int, folder: Path) -> dict[str, Any]:
    """Ours killed again and again; see `tests.bench.kills`."""
    return {"kills": kills.measure(round(rows * KILLED), KILLS, folder)}


PARTS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "speed": speed,
    "memory": memory,
    "faults": faults,
    "kills": killing,
}


def table(found: dict[str, Any]) -> str:
    """The results, one a line."""
    flat = {name: value for name, value in found.items() if not isinstance(value, dict)}
    for part in ("faults", "kills"):
        flat |= {f"{part} {name}": value for name, value in (found[part] or {}).items()}
    shown = {name: f"{value:.2f}" if isinstance(value, float) else value for name, value in flat.items()}
    return "\n".join(f"{name:<18}{value!s:>10}" for name, value in shown.items() if value is not None)


def say(text: str) -> None:
    """Progress: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--skip-memory", action="store_true", help="leave out the part that writes 50,000 rows")
    parser.add_argument("--rows", type=int, default=ROWS, help="of `speed`; the other parts scale with it")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that no process is left behind
    parts = [args.only] if args.only else [name for name in PARTS if not (args.skip_memory and name == "memory")]
    found: dict[str, Any] = dict.fromkeys((*KEYS, "faults", "kills"))
    with tempfile.TemporaryDirectory() as folder:
        for name in parts:
            say(f"-- {name}")
            found |= PARTS[name](args.rows, Path(folder))
    say(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
