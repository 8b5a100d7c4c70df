"""A loopback provider with OpenAI's Batch API: files, batches and their results; refuses what the real one refuses."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.pipelines.teacher_server import KEY, MODEL, completion, invalid

Answer = Callable[[dict[str, Any]], str | None]


@dataclass
class Provider:
    """What it holds.

    Attributes:
        looks: how often a batch is looked at before it is done.
        bodies: of every request that ran.
        batches: id -> the id of its input file.
    """

    url: str
    answer: Answer
    looks: int
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def look(self, batch: str) -> dict[str, Any]:
        self.looked[batch] += 1
        done = self.looked[batch] > self.looks
        if done and f"out-{batch}" not in self.files:
            self.files[f"out-{batch}"] = "\n".join(self._run(self.files[self.batches[batch]]))
        status = "completed" if done else "in_progress"
        return describe(batch, status, self.batches[batch], f"out-{batch}" if done else None)

    def _run(self, requests: str) -> Iterator[str]:
        for line in requests.splitlines():
            request = json.loads(line)
            body = request["body"]
            self.bodies.append(body)
            text = self.answer(body)
            if text is not None:  # failed ones stand in another file
                response = {"status_code": 200, "body": completion(body, [text])}
                yield json.dumps({"custom_id": request["custom_id"], "response": response, "error": None})


def describe(batch: str, status: str, source: str, output: str | None) -> dict[str, Any]:
    return {
        "id": batch,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": source,
        "completion_window": "24h",
        "status": status,
        "output_file_id": output,
        "created_at": 0,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.headers.get("authorization") != f"Bearer {KEY}":
            return self.reply(401, {"error": {"message": "Incorrect API key provided"}})
        if found := re.fullmatch(r"/v1/batches/(\S+)", self.path):
            return self.reply(200, self.provider.look(found[1]))
        if found := re.fullmatch(r"/v1/files/(\S+)/content", self.path):
            return self.reply(200, self.provider.files[found[1]])
        self.reply(404, {"error": {"message": "Unknown path"}})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path == "/v1/files":
            number = f"file-{len(self.provider.files)}"
            self.provider.files[number] = "\n".join(line for line in content.splitlines() if line.startswith("{"))
            names = {"filename": "batch.jsonl", "purpose": "batch", "bytes": len(content), "created_at": 0}
            return self.reply(200, {"id": number, "object": "file", "status": "processed", **names})
        if self.path == "/v1/batches":
            source = json.loads(content)["input_file_id"]
            requests = [json.loads(line) for line in self.provider.files[source].splitlines()]
            for request in requests:
                complaint = invalid(request["body"], 128)
                if complaint or request["url"] != "/v1/chat/completions" or request["body"]["model"] != MODEL:
                    return self.reply(400, {"error": {"message": complaint or "Invalid request in the batch"}})
            batch = f"batch-{len(self.provider.batches)}"
            self.provider.batches[batch], self.provider.looked[batch] = source, 0
            return self.reply(200, describe(batch, "validating", source, None))
        self.reply(404, {"error": {"message": "Unknown path"}})

    def reply(self, status: int, content: Any) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("content-type", "application/octet-stream" if isinstance(content, str) else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provide(answer: Answer, looks: int = 0) -> Iterator[Provider]:
    """Serve until the block ends.

    Args:
        answer: request body -> the text, or None for a request that fails.
        looks: how often a batch is looked at before it is done.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}/v1", answer, looks)
    Handler.provider = provider
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
