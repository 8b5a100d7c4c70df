"""An OpenAI-compatible endpoint in a process of its own, slow and faulty as asked, and light on the shared CPU.

`python -m tests.bench.endpoint.loopback --port 0` prints its address first and serves until it is ended. So does
`tests.bench.judge.geval_server`, which answers as a judge does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.endpoint.server import FAULTS, Connection, Draws, Stats
from tests.bench.processes import ROOT

TEACHER = "tests.bench.endpoint.loopback"


@dataclass(frozen=True)
class Loopback:
    """A running server; `url` goes up to and with `/v1`."""

    url: str

    def stats(self) -> dict[str, Any]:
        """See `tests.bench.endpoint.server.Stats`."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/stats") as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats


@contextmanager
def loopback(module: str = TEACHER, **options: object) -> Iterator[Loopback]:
    """A server until the block ends; options are those of the command line, `latency_by="arrival"` for a dash."""
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", module, *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Loopback(process.stdout.readline().strip())
        finally:
            process.terminate()


async def serve(options: argparse.Namespace, connection: type[Connection] = Connection) -> None:
    """Print the address and serve for ever."""
    draws, stats = Draws(options), Stats()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: connection(draws, stats), "127.0.0.1", options.port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def parse(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--median", type=float, default=0.2, help="of the latency, seconds")
    parser.add_argument("--p99", type=float, default=2.0, help="of the latency, seconds")
    parser.add_argument("--latency-by", choices=("body", "arrival"), default="body", help="what decides the latency")
    parser.add_argument("--accept", type=float, default=1.0, help="share of lines that break no rule")
    parser.add_argument("--seed", type=int, default=0, help="of the faults, and of latencies by arrival")
    for name in FAULTS:
        parser.add_argument(f"--{name}", type=float, default=0.0, help=f"share of requests with fault `{name}`")
    return parser.parse_args(args)


if __name__ == "__main__":
    asyncio.run(serve(parse()))
