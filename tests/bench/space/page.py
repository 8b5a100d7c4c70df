"""A Space's folder served as it is, and how soon its page can be typed into."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.processes import ROOT
from tests.bench.space.client import is_ready
from tests.space.browser import chromium, wait_for

READY_S = 300


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `app.py` of a folder: its process and its address, before it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment, stdout=sys.stderr)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def interactive_seconds(folder: Path) -> tuple[float, float]:
    """Seconds until the product can be typed into, from the start of the process and from navigation."""
    with chromium() as browser:
        page = browser.new_page(locale="ko-KR")
        started = time.perf_counter()
        with served(folder) as (process, address):
            wait_for(address, process)
            navigated = time.perf_counter()
            page.goto(address)
            field = page.get_by_label("상품", exact=True)
            field.fill("제습기")
            assert field.input_value() == "제습기"
            now = time.perf_counter()
    return now - started, now - navigated


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the model is loaded.

    Raises:
        RuntimeError: it cannot be, or not in time.
    """
    wait_for(address, process)
    deadline = time.monotonic() + READY_S
    while not is_ready(address):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{ROOT / 'space'}: the model is not loaded after {READY_S} s")
        time.sleep(0.2)
