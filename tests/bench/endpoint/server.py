"""The HTTP server behind the loopback endpoint, by hand: a framework would take the CPU of those that it measures."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from math import exp, log
from statistics import NormalDist
from typing import Any

from tests.bench.endpoint.answers import GARBAGE, completion, contents, digest, share
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

PHRASES = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
#: Shares of the requests that go wrong, in the order in which they are drawn.
FAULTS = ("limits", "errors", "resets", "hangs", "garbage")
NORMAL = NormalDist()


@dataclass
class Stats:
    """What the server was asked, and how it answered. A hanging request is in flight until its client hangs up."""

    received: int = 0
    completed: int = 0
    in_flight: int = 0
    peak: int = 0
    latency_s: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    bodies: set[bytes] = field(default_factory=set)

    def summary(self) -> dict[str, Any]:
        """As JSON, with the number of distinct bodies and the seconds of CPU that the server has used."""
        counts = {name: value for name, value in vars(self).items() if name != "bodies"}
        return {**counts, "distinct_bodies": len(self.bodies), "cpu_s": time.process_time()}


class Draws:
    """Draws the latency and the fault of each request."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.sigma = log(options.p99 / options.median) / NORMAL.inv_cdf(0.99)
        self.fault_draw = random.Random(options.seed)  # by request, so that a retry of the same body may succeed
        self.latency_draw = random.Random(options.seed + 1)

    def fault(self) -> str:
        drawn = self.fault_draw.random()
        for name in FAULTS:
            drawn -= getattr(self.options, name)
            if drawn < 0:
                return name
        return ""

    def latency(self, seed: bytes) -> float:
        """Seconds, log-normal. By arrival all clients meet the same sequence, whatever their bodies look like."""
        by_arrival = self.options.latency_by == "arrival"
        drawn = self.latency_draw.random() or 0.5 if by_arrival else share(seed[-8:])
        return float(self.options.median * exp(self.sigma * NORMAL.inv_cdf(drawn)))


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive. One request at a time: no client pipelines."""

    transport: asyncio.Transport

    def __init__(self, draws: Draws, stats: Stats) -> None:
        self.draws, self.stats = draws, stats
        self.buffer = bytearray()
        self.timer: asyncio.TimerHandle | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()
        self._free()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        start, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = end + 4 + int(headers.get("content-length", 0))
        if len(self.buffer) < size:
            return
        body = bytes(self.buffer[end + 4 : size])
        del self.buffer[:size]
        method, path, _ = start.split(" ", 2)
        self._route(method, path, headers.get("authorization"), body)

    def _route(self, method: str, path: str, authorization: str | None, body: bytes) -> None:
        if (method, path) == ("GET", "/stats"):
            self._send(200, json.dumps(self.stats.summary()).encode())
        elif authorization != f"Bearer {KEY}":
            self._refuse(401, "Incorrect API key provided")
        elif (method, path) == ("GET", "/v1/models"):
            self._send(200, json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())
        elif (method, path) == ("POST", "/v1/chat/completions"):
            self._accept(body)
        else:
            self._refuse(404, f"Unknown path {path}")

    def _accept(self, raw: bytes) -> None:
        stats, seed, fault = self.stats, digest(raw), self.draws.fault()
        self.busy = True
        stats.received += 1
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        stats.bodies.add(seed[:16])
        if fault:
            stats.faults[fault] += 1
        if fault == "hangs":
            return
        # A rate limiter answers at once; what breaks, breaks in the middle of the work.
        latency = 0.0 if fault == "limits" else self.draws.latency(seed)
        stats.latency_s += latency
        self.timer = asyncio.get_running_loop().call_later(latency, self._finish, raw, seed, fault)

    def _finish(self, raw: bytes, seed: bytes, fault: str) -> None:
        self._free()
        if fault == "resets":
            self.transport.abort()
        elif fault == "limits":
            self._refuse(429, "Rate limit reached", "Retry-After: 0.2\r\n")
        elif fault == "errors":
            self._refuse(500, "The server had an error")
        else:
            body = json.loads(raw)
            garbage = GARBAGE[self.stats.faults["garbage"] % len(GARBAGE)]
            texts = [garbage] if fault == "garbage" else contents(raw, body, self.draws.options.accept)
            self.stats.completed += 1
            self._send(200, completion(body, texts), count=True)

    def _free(self) -> None:
        self.stats.in_flight -= self.busy
        self.busy = False

    def _refuse(self, status: int, message: str, headers: str = "") -> None:
        error = {"message": message, "type": "invalid_request_error", "code": None}
        self._send(status, json.dumps({"error": error}).encode(), headers, count=True)

    def _send(self, status: int, body: bytes, headers: str = "", *, count: bool = False) -> None:
        self.stats.statuses[status] += count
        head = f"HTTP/1.1 {status} {PHRASES[status]}\r\nContent-Type: application/json\r\n{headers}"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
