"""SIGKILL at random moments of a run, each followed by a restart in the same folder."""

from __future__ import annotations

import os
import random
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

from tests.bench.endpoint.loopback import Loopback, loopback
from tests.bench.processes import Run, run, started

#: The module that runs ours, and how many requests every client keeps in flight.
OURS, IN_FLIGHT = "tests.bench.synthesis.ours", 64
#: Share of the teacher's lines that break no rule.
ACCEPT = 0.7
#: Seconds between two looks at the server.
LOOK = 0.02


@dataclass(frozen=True)
class Moment:
    """When to kill: seconds after the `start` of the process, its first request (`work`) or its last answer (`end`)."""

    phase: str
    delay: float


def measure(rows: int, kills: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Rows, distinct lines, requests that the server saw and their bound, after so many kills and a last full run.

    `kills` counts those that hit: a process may be done before its moment. `orphans` counts the killed whose children
    were still there after the last run. Only the main process is killed: seeing that is the business of the children.
    """
    options: dict[str, Any] = {"rows": rows, "in_flight": IN_FLIGHT}
    with loopback(accept=ACCEPT) as server, started(OURS, url=server.url, folder=folder / "whole", **options) as whole:
        durations = watch(whole, server)
    killed_clients = []
    with loopback(accept=ACCEPT) as server, ExitStack() as groups:
        options |= {"url": server.url, "folder": folder / "killed"}
        for moment in moments(random.Random(seed), kills, durations):
            client = groups.enter_context(started(OURS, **options))
            if kill(client, server, moment):
                killed_clients.append(client)
            else:
                client.result()
        result = run(OURS, **options)
        requests = server.stats()["received"]
        orphans = sum(has_group(client) for client in killed_clients)
    bound = ceil(rows / ACCEPT) + len(killed_clients) * IN_FLIGHT
    counts = {"rows": result["rows"], "distinct": result["distinct"], "requests": requests, "bound": bound}
    return {**counts, "kills": len(killed_clients), "orphans": orphans}


def watch(client: Run, server: Loopback) -> dict[str, float]:
    """Seconds of each phase of a run that nothing disturbs.

    Raises:
        RuntimeError: it failed.
    """
    launch = first = last = time.monotonic()
    while client.process.poll() is None:
        stats = server.stats()
        if not stats["received"]:
            first = time.monotonic()
        if not stats["received"] or stats["in_flight"]:
            last = time.monotonic()
        time.sleep(LOOK)
    client.result()
    return {"start": first - launch, "work": last - first, "end": time.monotonic() - last}


def moments(draw: random.Random, count: int, durations: dict[str, float]) -> list[Moment]:
    """A quarter in the start (one at least), one in the end, the others spread over the work.

    A killed run goes on where it stopped, so a moment of the work is told by its distance from the one before it.
    """
    starts = max(1, count // 4)
    work = [0.0, *sorted(draw.uniform(0, durations["work"]) for _ in range(count - starts - 1))]
    drawn = [Moment("start", draw.uniform(0, durations["start"])) for _ in range(starts)]
    drawn += [Moment("work", after - before) for before, after in pairwise(work)]
    draw.shuffle(drawn)
    return [*drawn, Moment("end", draw.uniform(0, durations["end"]))]


def kill(client: Run, server: Loopback, moment: Moment) -> bool:
    """Kill a run that was just started when its moment comes; False if it is done before."""
    before = server.stats()["received"]
    while client.process.poll() is None and not begun(server, moment.phase, before):
        time.sleep(LOOK)
    try:
        client.process.wait(moment.delay)
    except subprocess.TimeoutExpired:
        client.process.kill()
        client.process.wait()
        return True
    return False


def begun(server: Loopback, phase: str, before: int) -> bool:
    """Whether a run has come to a phase; `before` requests were seen when it was started."""
    if phase == "start":
        return True
    stats = server.stats()
    requested: bool = stats["received"] > before
    return requested and (phase == "work" or not stats["in_flight"])


def has_group(client: Run) -> bool:
    """Whether there is anyone left in the process group that a client led."""
    try:
        os.killpg(client.process.pid, 0)
    except ProcessLookupError:
        return False
    return True
