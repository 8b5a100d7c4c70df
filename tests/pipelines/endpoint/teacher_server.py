"""A loopback OpenAI-compatible endpoint that refuses what the real one refuses."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-loopback"
MODEL = "copywriter-1"
KNOWN = {
    *("model", "messages", "n", "seed", "max_tokens", "temperature", "top_p", "stop", "stream", "logprobs", "user"),
    *("top_logprobs", "frequency_penalty", "presence_penalty", "response_format", "max_completion_tokens"),
}


@dataclass
class Log:
    """What the server has seen: headers of all requests, bodies of good ones, and how many were in flight at most."""

    headers: list[dict[str, str]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def flight(self, body: dict[str, Any]) -> Iterator[None]:
        with self.lock:
            self.requests.append(body)
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
        yield
        with self.lock:
            self.in_flight -= 1


@dataclass(frozen=True)
class Endpoint:
    url: str
    log: Log


@dataclass(frozen=True)
class Raw:
    """An answer as it goes over the wire, whatever the protocol says: text as it is, anything else as JSON."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reset:
    """No answer: the connection is reset."""


Write = Callable[[dict[str, Any], int], str | tuple[int, str] | Raw | Reset]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, write: Write, most_choices: int, slots: int, models: Raw | Reset | None, knows: frozenset[str]
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.write, self.most_choices, self.slots, self.models, self.log = write, most_choices, slots, models, Log()
        self.knows = knows

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that had enough of waiting is gone when its answer comes."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave at once
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.allowed():
            if self.path == "/v1/models" and self.server.models:
                self.bare(self.server.models)
            elif self.path == "/v1/models":
                self.answer(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
            else:
                self.refuse(404, f"Unknown path {self.path}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.allowed():
            return
        if self.path != "/v1/chat/completions":
            return self.refuse(404, f"Unknown path {self.path}")
        if body.get("model") != MODEL:
            return self.refuse(404, f"The model `{body.get('model')}` does not exist")
        if complaint := invalid(body, self.server.slots, self.server.knows):
            return self.refuse(400, complaint)
        wanted = min(body.get("n") or 1, self.server.most_choices)
        with self.server.log.flight(body):
            lines = [self.server.write(body, number) for number in range(wanted)]
        if bare := next((line for line in lines if isinstance(line, Raw | Reset)), None):
            return self.bare(bare)
        if refused := next((line for line in lines if isinstance(line, tuple)), None):
            return self.refuse(*refused)
        self.answer(200, completion(body, lines))

    def allowed(self) -> bool:
        self.server.log.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.headers.get("authorization") == f"Bearer {KEY}":
            return True
        self.refuse(401, "Incorrect API key provided")
        return False

    def refuse(self, status: int, message: str) -> None:
        self.answer(status, {"error": {"message": message, "type": "invalid_request_error", "code": None}})

    def bare(self, answer: Raw | Reset) -> None:
        if isinstance(answer, Raw):
            return self.answer(answer.status, answer.content, answer.headers)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()  # without lingering: RST instead of FIN
        self.close_connection = True

    def answer(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(
    write: Write,
    *,
    most_choices: int = 128,
    slots: int = 128,
    models: Raw | Reset | None = None,
    knows: frozenset[str] = frozenset(),
) -> Iterator[Endpoint]:
    """Serve until the block ends.

    Args:
        write: (request body, number of the choice) -> the line, (status, message) for an error, or what to answer
            instead of a completion.
        most_choices: choices an answer has at most, whatever `n` asks for; 1 is Ollama.
        slots: a larger `n` is a bad request, as with llama.cpp.
        models: what to answer instead of the list of models.
        knows: parameters that OpenAI does not know.
    """
    server = Server(write, most_choices, slots, models, knows)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # seconds between looks at the end
    thread.start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", server.log)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def completion(body: dict[str, Any], lines: list[Any]) -> dict[str, Any]:
    """The answer in OpenAI's form; a character counts as a token."""
    prompt = sum(len(message["content"]) for message in body["messages"])
    written = sum(len(line) for line in lines)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [
            {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": line}}
            for index, line in enumerate(lines)
        ],
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
    }


def invalid(body: dict[str, Any], slots: int, knows: frozenset[str] = frozenset()) -> str | None:
    """What OpenAI's chat completions endpoint would complain about."""
    if unknown := sorted(body.keys() - KNOWN - knows):
        return f"Unknown parameter: '{unknown[0]}'."
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Invalid 'messages': empty array."
    for message in messages:
        if message.get("role") not in ("system", "user", "assistant") or not isinstance(message.get("content"), str):
            return "Invalid value in 'messages'."
    ranges = {
        "temperature": (0, 2),
        "top_p": (0, 1),
        "n": (1, slots),
        "max_tokens": (1, 16384),
        "max_completion_tokens": (1, 16384),
        "seed": (0, 2**63),
    }
    for name, (low, high) in ranges.items():
        value = body.get(name)
        whole = name in ("n", "max_tokens", "max_completion_tokens", "seed")
        if value is not None and (not isinstance(value, int if whole else int | float) or not low <= value <= high):
            return f"Invalid '{name}': {value}"
    return None
