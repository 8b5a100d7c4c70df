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
from urllib.parse import parse_qs, urlsplit

from tests.pipelines.endpoint.teacher_server import KEY, MODEL, completion, invalid

Refused = tuple[int, dict[str, Any]]
Answer = Callable[[dict[str, Any]], str | Refused | None]
LINE = {"method": "POST", "url": "/v1/chat/completions"}


@dataclass
class Provider:
    """What it holds.

    Attributes:
        looks: how often a batch is looked at before it is done.
        ends: the status of a batch that is done.
        runs: requests of a batch that run before it ends; None is all.
        fault: method and path -> an HTTP status to answer with once the work is done, or None.
        files: id -> content.
        batches: id -> what the provider says of it, the oldest first.
        bodies: of every request that ran.
    """

    url: str
    answer: Answer
    looks: int = 0
    ends: str = "completed"
    runs: int | None = None
    fault: Callable[[str, str], int | None] = lambda method, path: None
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "/v1/batches":
            return self._list(int(query.get("limit", ["20"])[0]), query.get("after", [""])[0])
        if found := re.fullmatch(r"/v1/batches/([^/]+)", path):
            return (200, self._look(found[1])) if found[1] in self.batches else no(404, f"No such batch: {found[1]}")
        if found := re.fullmatch(r"/v1/files/([^/]+)/content", path):
            return (200, self.files[found[1]]) if found[1] in self.files else no(404, f"No such File: {found[1]}")
        return no(404, "Unknown path")

    def post(self, path: str, content: str) -> tuple[int, Any]:
        if path == "/v1/files":
            if 'name="purpose"\r\n\r\nbatch\r\n' not in content or not re.search(r'filename="[^"]+\.jsonl"', content):
                return no(400, "Invalid file format for Batch API. Must be .jsonl")
            number = f"file-{len(self.files)}"
            self.files[number] = "\n".join(line for line in content.split("\n") if line.startswith("{"))
            names = {"filename": "batch.jsonl", "purpose": "batch", "bytes": len(content), "created_at": 0}
            return 200, {"id": number, "object": "file", "status": "processed", **names}
        if path == "/v1/batches":
            return self._create(json.loads(content))
        return no(404, "Unknown path")

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        metadata = wanted.pop("metadata", None) or {}
        short = all(
            isinstance(value, str) and len(name) <= 64 and len(value) <= 512 for name, value in metadata.items()
        )
        if len(metadata) > 16 or not short:
            return no(400, "Invalid 'metadata'")
        source = wanted.pop("input_file_id", None)
        if wanted != {"completion_window": "24h", "endpoint": "/v1/chat/completions"}:
            return no(400, f"Invalid parameters: {wanted}")
        if source not in self.files:
            return no(400, f"Invalid 'input_file_id': no file {source}")
        number = f"batch-{len(self.batches)}"
        files = {"input_file_id": source, "output_file_id": None, "error_file_id": None, "errors": None}
        state = {"object": "batch", "status": "validating", "metadata": metadata, "created_at": 0}
        self.batches[number] = {"id": number, **files, **state, **wanted}
        self.looked[number] = 0
        return 200, self.batches[number]

    def _list(self, limit: int, after: str) -> tuple[int, Any]:
        if not 1 <= limit <= 100:
            return no(400, f"Invalid 'limit': {limit}")
        latest = list(reversed(self.batches))
        rest = latest[latest.index(after) + 1 :] if after else latest
        data = [self.batches[number] for number in rest[:limit]]
        return 200, {"object": "list", "data": data, "has_more": len(rest) > limit}

    def _look(self, number: str) -> dict[str, Any]:
        batch = self.batches[number]
        self.looked[number] += 1
        if batch["status"] in ("validating", "in_progress"):
            requests = [json.loads(line) for line in self.files[batch["input_file_id"]].split("\n")]
            if complaint := unfit(requests):
                errors = {"object": "list", "data": [{"code": "invalid", "message": complaint, "line": 1}]}
                batch |= {"status": "failed", "errors": errors}
            elif self.looked[number] > self.looks:
                self._run(batch, requests)
            else:
                batch["status"] = "in_progress"
        return batch

    def _run(self, batch: dict[str, Any], requests: list[dict[str, Any]]) -> None:
        good, bad = [], []
        for place, request in enumerate(requests):
            row = {"id": f"batch_req_{place}", "custom_id": request["custom_id"], "response": None, "error": None}
            if self.runs is not None and place >= self.runs:
                if self.ends == "expired":
                    message = "This request could not be executed before the completion window expired."
                    bad.append({**row, "error": {"code": "batch_expired", "message": message}})
                continue
            status, body = self._answered(request["body"])
            response = {"status_code": status, "request_id": f"req_{place}", "body": body}
            (good if status == 200 else bad).append({**row, "response": response})
        batch["status"] = self.ends
        for kind, rows in (("output", good), ("error", bad)):
            if rows:
                batch[f"{kind}_file_id"] = file = f"{kind}-{batch['id']}"
                self.files[file] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def _answered(self, body: dict[str, Any]) -> tuple[int, Any]:
        if complaint := invalid(body, 128):
            return no(400, complaint)
        self.bodies.append(body)
        text = self.answer(body)
        if text is None:
            return no(500, "The server had an error")
        if isinstance(text, tuple):
            return text[0], {"error": text[1]}
        return 200, completion(body, [text])


def no(status: int, message: str) -> Refused:
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def unfit(requests: list[dict[str, Any]]) -> str:
    """Why a whole batch fails before one request runs; empty if it does not."""
    ids = [request.get("custom_id") for request in requests]
    if len(set(ids)) < len(ids) or not all(isinstance(number, str) for number in ids):
        return "The custom_id is missing or not unique"
    for request in requests:
        if request.keys() != {"custom_id", "body", *LINE} or not request.items() >= LINE.items():
            return "The request does not match the endpoint of the batch"
        if request["body"].get("model") != MODEL:
            return f"The provided model '{request['body'].get('model')}' is not supported by the Batch API."
    return ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave at once
    provider: Provider

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.reply(lambda: self.provider.get(url.path, parse_qs(url.query)))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"])).decode()
        self.reply(lambda: self.provider.post(self.path, content))

    def reply(self, work: Callable[[], tuple[int, Any]]) -> None:
        if self.headers.get("authorization") == f"Bearer {KEY}":
            with self.provider.lock:
                status, content = work()
                if fault := self.provider.fault(self.command, self.path):
                    status, content = no(fault, "Bad gateway")
        else:
            status, content = no(401, f"Incorrect API key provided: {self.headers.get('authorization', '')[7:]}")
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("content-type", "application/octet-stream" if isinstance(content, str) else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provide(answer: Answer, **options: Any) -> Iterator[Provider]:
    """Serve until the block ends.

    Args:
        answer: request body -> the text, (status, error) for a request that is refused, None for a server error.
        options: `looks`, `ends`, `runs` and `fault` of `Provider`.
    """
    handler = type("Bound", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.provider = Provider(f"http://127.0.0.1:{server.server_address[1]}/v1", answer, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # seconds between looks at the end
    thread.start()
    try:
        yield handler.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
