"""A Hub whose one Space goes through stages that a test names, and that has logs: what the local Hub, where nothing
runs, cannot show."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from huggingface_hub import HfApi, SpaceStage

from scripts.hub.hub import Hub

LOG = ["Collecting torch==9.9", "ERROR: No matching distribution found for torch==9.9"]


@contextmanager
def hub_with(stages: Sequence[str | dict[str, Any]]) -> Iterator[Hub]:
    """A Hub whose Space `ns/page` is at each of the stages when it is looked at, and stays at the last."""
    runtimes = [stage if isinstance(stage, dict) else {"stage": stage} for stage in stages]
    assert all(runtime["stage"] in list(SpaceStage) for runtime in runtimes)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/api/spaces/ns/page/runtime":
                runtime = runtimes.pop(0) if len(runtimes) > 1 else runtimes[0]
                self._answer(200, json.dumps({"hardware": {"requested": "zero-a10g"}, **runtime}), "application/json")
            elif self.path.startswith("/api/spaces/ns/page/logs/build"):
                events = [f"data: {json.dumps({'data': line, 'timestamp': ''})}\n\n" for line in LOG]
                self._answer(200, "".join(events), "text/event-stream")
            else:
                self._answer(404, json.dumps({"error": "Not Found"}), "application/json")

        def _answer(self, status: int, body: str, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Hub(HfApi(endpoint=f"http://127.0.0.1:{server.server_port}", token="hf_x"), "ns")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
