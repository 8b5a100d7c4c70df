"""How fast the LLM judge asks, beside a plain client and deepeval's own `evaluate`, on a loopback endpoint.

`python -m tests.bench.geval` takes a minute and a half; its last line on stdout is one JSON object. Every answer takes
200 ms: with the long tail of the synthesis benchmark all would wait for the same few answers, and look alike.
"""

from __future__ import annotations

import argparse
import json
import sys
from statistics import median
from typing import Any

from tests.bench.geval_server import judge
from tests.bench.processes import run

CLIENTS = "tests.bench.geval_clients"
ROWS, IN_FLIGHT, ROUNDS = 300, 50, 3
#: Of the rows, those that stock deepeval gets: it makes an HTTP client for each request, and takes ten times as long.
STOCK = 1 / 3
#: Seconds; log-normal, and as good as constant.
LATENCY = {"median": 0.2, "p99": 0.201, "latency_by": "arrival"}


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Requests a second of the three, and what ours and stock deepeval reach of the plain client's.

    Plain and ours take turns, each time on a server of its own; `geval_ratio` is the median of the rounds' ratios.
    Stock deepeval runs once.
    """
    ratios, plain_rates, our_rates = [], [], []
    for _ in range(rounds):
        plain_rates.append(_rate("plain", rows))
        our_rates.append(_rate("ours", rows))
        ratios.append(our_rates[-1] / plain_rates[-1])
    stock = _rate("stock", round(rows * STOCK))
    return {
        "geval_plain_requests_s": median(plain_rates),
        "geval_ours_requests_s": median(our_rates),
        "geval_stock_requests_s": stock,
        "geval_ratio": median(ratios),
        "geval_ratios": ratios,
        "geval_stock_ratio": stock / median(plain_rates),
    }


def _rate(client: str, rows: int) -> float:
    with judge(**LATENCY) as server:
        found = run(f"{CLIENTS} {client}", url=server.url, rows=rows, in_flight=IN_FLIGHT)
        stats = server.stats()
    said = f"{client}: {found['requests']} scores in {found['seconds']:.1f} s, CPU {found['cpu']:.1f} s"
    alone = stats["latency_s"] / IN_FLIGHT
    print(
        f"{said}, {stats['received']} requests, {stats['peak']} in flight at most, latency alone {alone:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    return float(found["requests"] / found["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    print(json.dumps(measure(args.rows, args.rounds)))


if __name__ == "__main__":
    main()
