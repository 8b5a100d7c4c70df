"""How fast the LLM judge asks, beside a plain client and deepeval's own `evaluate`, on a loopback endpoint.

    python -m tests.bench.judge.geval
    python -m tests.bench.judge.geval --smoke

Last line of stdout: one JSON object, part of what `tests.bench.judge` says. Every answer takes 200 ms: with the long
tail of the synthesis bench all would wait for the same few answers, and look alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.endpoint.loopback import loopback
from tests.bench.processes import run
from tests.bench.report import finish, parser_of, say

CLIENTS, SERVER = "tests.bench.judge.geval_clients", "tests.bench.judge.geval_server"
IN_FLIGHT = 50


@dataclass(frozen=True)
class Size:
    """Rows to score, and rounds of the plain client and ours."""

    rows: int
    rounds: int


FULL, SMOKE = Size(rows=300, rounds=3), Size(rows=30, rounds=1)
#: Of the rows, those that stock deepeval gets: it makes an HTTP client for each request, and takes ten times as long.
STOCK = 1 / 3
#: Seconds; log-normal, and as good as constant.
LATENCY = {"median": 0.2, "p99": 0.201, "latency_by": "arrival"}


def measure(size: Size) -> dict[str, Any]:
    """Requests a second of the three, and what ours and stock deepeval reach of the plain client's.

    Plain and ours take turns, each time on a server of its own; `geval_ratio` is the median of the rounds' ratios.
    Stock deepeval runs once.
    """
    ratios, plain_rates, our_rates = [], [], []
    for _ in range(size.rounds):
        plain_rates.append(_rate("plain", size.rows))
        our_rates.append(_rate("ours", size.rows))
        ratios.append(our_rates[-1] / plain_rates[-1])
    stock = _rate("stock", round(size.rows * STOCK))
    return {
        "geval_plain_requests_s": median(plain_rates),
        "geval_ours_requests_s": median(our_rates),
        "geval_stock_requests_s": stock,
        "geval_ratio": median(ratios),
        "geval_ratios": ratios,
        "geval_stock_ratio": stock / median(plain_rates),
    }


def _rate(client: str, rows: int) -> float:
    with loopback(SERVER, **LATENCY) as server:
        result = run(f"{CLIENTS} {client}", url=server.url, rows=rows, in_flight=IN_FLIGHT)
        stats = server.stats()
    say(
        f"{client}: {result['requests']} scores in {result['seconds']:.1f} s, CPU {result['cpu']:.1f} s, "
        f"{stats['received']} requests, {stats['peak']} in flight at most, "
        f"latency alone {stats['latency_s'] / IN_FLIGHT:.1f} s"
    )
    return float(result["requests"] / result["seconds"])


def main() -> None:
    args = parser_of(__doc__).parse_args()
    finish(measure(SMOKE if args.smoke else FULL))


if __name__ == "__main__":
    main()
