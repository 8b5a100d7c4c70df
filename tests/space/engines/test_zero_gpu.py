"""ZeroGPU: the real `spaces` package against a device API that answers as Hugging Face's does.

It goes as far as a machine without a GPU can: the start, where weights go to a pretended `cuda` and are packed, the
report of the start, the call of `/schedule`, the fork of a worker and its `/allow`. There the real CUDA is asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from gradio_client import Client

pytest.importorskip("spaces", reason="spaces is not installed")

ROOT = Path(__file__).parents[3]
GRANTED = (200, {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "token"})
OVER_QUOTA = (429, {"left": 3, "wait": 3600})


@dataclass
class DeviceApi:
    """What ZeroGPU's device API was asked, and how it answers `/schedule`."""

    schedule: tuple[int, dict[str, Any]]
    url: str = ""
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)


@contextmanager
def device_api(schedule: tuple[int, dict[str, Any]]) -> Iterator[DeviceApi]:
    api = DeviceApi(schedule)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            api.asked.append((parts.path, parse_qs(parts.query)))
            status, body = api.schedule if parts.path == "/schedule" else (200, {})
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield api
        finally:
            server.shutdown()


@contextmanager
def space(api: DeviceApi, tiny: Path, home: Path) -> Iterator[tuple[str, str]]:
    """A running Space: where its weights lie, and its address."""
    environment = os.environ | {"SPACES_ZERO_GPU": "1", "SPACES_ZERO_DEVICE_API_URL": api.url, "HOME": str(home)}
    command = [sys.executable, "-m", "tests.space.engines.zero_space", str(tiny), str(tiny.parent / "base")]
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    with (home / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, **streams)
        try:
            assert process.stdout
            devices, address = process.stdout.readline().strip(), process.stdout.readline().strip()
            assert address, (home / "log").read_text()
            yield devices, address
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def test_the_space_starts_and_asks_for_a_gpu(tiny: Path, tmp_path: Path) -> None:
    with device_api(GRANTED) as api, space(api, tiny, tmp_path) as (devices, address):
        assert devices == "cuda:0 cuda:0"
        assert [path for path, _ in api.asked] == ["/startup-report"]
        said = Client(address, verbose=False).predict(api_name="/write")
        assert [path for path, _ in api.asked] == ["/startup-report", "/schedule", "/allow", "/release"]
        assert api.asked[1][1]["durationSeconds"] == ["20"]
        assert api.asked[2][1]["allowToken"] == ["token"]
        # the worker has forked and been allowed; what it misses is the GPU
        assert said == "Error ZeroGPU worker error: AssertionError"
        weights = list((tmp_path / ".zerogpu" / "tensors").iterdir())
        assert len(weights) == 1 and weights[0].stat().st_size > 100_000


def test_the_words_of_an_over_quota_reply_reach_the_caller(tiny: Path, tmp_path: Path) -> None:
    with device_api(OVER_QUOTA) as api, space(api, tiny, tmp_path) as (_, address):
        said = Client(address, verbose=False).predict(api_name="/write")
        assert said.startswith("Error ZeroGPU quota exceeded: Space app has reached its GPU limit.")
        assert [path for path, _ in api.asked] == ["/startup-report", "/schedule"]
