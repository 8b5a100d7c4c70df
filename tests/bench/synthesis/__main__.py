"""How fast, lean and sturdy the synthesis is, against a loopback teacher.

    python -m tests.bench.synthesis
    python -m tests.bench.synthesis --smoke
    python -m tests.bench.synthesis --only kills

Last line of stdout: one JSON object, its keys are explained in tests/bench/README.md. `--only PART` runs a part alone
and leaves the keys of the others null. Latencies are log-normal, median 200 ms and p99 2 s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.endpoint.loopback import loopback
from tests.bench.memory import memory_measure, peak_memory
from tests.bench.processes import run, started
from tests.bench.report import finish, parser_of, say
from tests.bench.synthesis import kills
from tests.bench.synthesis.kills import ACCEPT, IN_FLIGHT, OURS

BASELINES = "tests.bench.synthesis.baselines"


@dataclass(frozen=True)
class Size:
    """Rows of `speed`; the other parts scale with them. How often `kills` kills."""

    rows: int
    kills: int


FULL, SMOKE = Size(rows=5_000, kills=20), Size(rows=100, kills=3)
#: Rows of the larger run of `memory`, and of `faults` and `kills`, per row of `speed`.
LARGER, FAULTY, KILLED = 10, 1 / 5, 1 / 10
FAULTS: dict[str, Any] = {"limits": 0.10, "errors": 0.05, "resets": 0.03, "hangs": 0.03, "garbage": 0.05}
#: Seconds after which a client is to give a hanging request up.
TIMEOUT = 3
#: Requests a row that a client under faults may make: generous, 1.9 would do if nothing were lost twice.
REQUESTS_PER_ROW = 4
KEYS = ("plain_rows_s", "stock_rows_s", "ours_rows_s", "ratio", "rss_ratio", "cached_seconds", "cached_requests")


def speed(size: Size, folder: Path) -> dict[str, Any]:
    """Rows a second of all three, each on a server of its own with the same latencies; then ours from its cache."""
    options: dict[str, Any] = {"rows": size.rows, "in_flight": IN_FLIGHT}
    figures: dict[str, Any] = {}
    for name, module in (("plain", f"{BASELINES} plain"), ("ours", OURS), ("stock", f"{BASELINES} stock")):
        folders: dict[str, Any] = {"folder": folder / "speed"} if name == "ours" else {}
        with loopback(latency_by="arrival") as server:
            result = run(module, url=server.url, **options, **folders)
            stats = server.stats()
            figures[f"{name}_rows_s"] = result["rows"] / result["seconds"]
            least = stats["latency_s"] / IN_FLIGHT
            say(
                f"{name}: {result['rows']} rows in {result['seconds']:.1f} s (latency alone: {least:.1f} s), "
                f"{stats['received']} requests, {stats['peak']} in flight at most, server CPU {stats['cpu_s']:.1f} s"
            )
            if name == "ours":
                again = run(module, url=server.url, **options, **folders)
                requests = server.stats()["received"] - stats["received"]
                say(f"ours again: {again['rows']} rows in {again['seconds']:.1f} s, {requests} requests")
                figures |= {"cached_seconds": again["seconds"], "cached_requests": requests}
    return {**figures, "ratio": figures["ours_rows_s"] / figures["plain_rows_s"]}


def memory(size: Size, folder: Path) -> dict[str, Any]:
    """Peak memory of ten times the rows over that of the rows, with a teacher fast enough to wait for."""
    peaks = []
    for rows in (size.rows, size.rows * LARGER):
        options: dict[str, Any] = {"rows": rows, "in_flight": IN_FLIGHT, "folder": folder / f"memory-{rows}"}
        with loopback(median=0.01, p99=0.1) as server, started(OURS, url=server.url, **options) as client:
            peaks.append(peak_memory(client.process))
            result = client.result()
        peak = f"{peaks[-1] / 2**20:.0f} MiB {memory_measure().__name__}"
        say(f"{result['rows']} rows: {peak} in {result['seconds']:.1f} s")
    return {"rss_ratio": peaks[1] / peaks[0]}


def faults(size: Size, folder: Path) -> dict[str, Any]:
    """Ours against a teacher that fails in every way and breaks rules."""
    rows = round(size.rows * FAULTY)
    bound = rows * REQUESTS_PER_ROW
    options: dict[str, Any] = {"rows": rows, "in_flight": IN_FLIGHT, "timeout": TIMEOUT, "max_requests": bound}
    # By arrival, because a body that is late by nature would be late at each retry.
    with loopback(accept=ACCEPT, latency_by="arrival", **FAULTS) as server:
        result = run(OURS, url=server.url, folder=folder / "faults", **options)
        stats = server.stats()
    say(f"faults: {stats['faults']}, {stats['peak']} in flight at most")
    counts = {name: result[name] for name in ("rows", "distinct", "seconds")}
    return {"faults": {**counts, "requests": stats["received"], "bound": bound}}


def killing(size: Size, folder: Path) -> dict[str, Any]:
    """Ours killed again and again; see `tests.bench.synthesis.kills`."""
    return {"kills": kills.measure(round(size.rows * KILLED), size.kills, folder)}


PARTS: dict[str, Callable[[Size, Path], dict[str, Any]]] = {
    "speed": speed,
    "memory": memory,
    "faults": faults,
    "kills": killing,
}


def table(figures: dict[str, Any]) -> str:
    """The figures, one a line."""
    flat = {name: value for name, value in figures.items() if not isinstance(value, dict)}
    for part in ("faults", "kills"):
        flat |= {f"{part} {name}": value for name, value in (figures[part] or {}).items()}
    shown = {name: f"{value:.2f}" if isinstance(value, float) else value for name, value in flat.items()}
    return "\n".join(f"{name:<18}{value!s:>10}" for name, value in shown.items() if value is not None)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--skip-memory", action="store_true", help="leave out the part that writes 50,000 rows")
    parser.add_argument("--rows", type=int, default=None, help="of `speed`; the other parts scale with it")
    args = parser.parse_args()
    size = SMOKE if args.smoke else FULL
    size = Size(args.rows or size.rows, size.kills)
    parts = [args.only] if args.only else [name for name in PARTS if not (args.skip_memory and name == "memory")]
    figures: dict[str, Any] = dict.fromkeys((*KEYS, "faults", "kills"))
    with tempfile.TemporaryDirectory() as folder:
        for name in parts:
            say(f"-- {name}")
            figures |= PARTS[name](size, Path(folder))
    say(table(figures))
    finish(figures)


if __name__ == "__main__":
    main()
