"""What llama.cpp is asked, and its lines as they end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import IncompleteRead
from queue import SimpleQueue
from typing import Any

from engines.llama_server import LlamaServer
from engines.sampling import CANDIDATES, MAX_NEW_TOKENS, TOP_P, Chat, finished

SAMPLING = {
    "samplers": ["top_k", "temperature", "top_p"],  # in this order, as with transformers; its own is another
    "top_k": CANDIDATES,
    "top_p": TOP_P,
    "n_predict": MAX_NEW_TOKENS,
    "stop": ["\n"],
    "stream": True,
}


class Shares:
    """Shares slots out among the visitors that are there, and keeps some for those who come."""

    def __init__(self, slots: int, most: int) -> None:
        self.slots, self.most, self._visitors, self._lock = slots, most, 0, threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Callable[[], int]]:
        """Be there; yield what tells the share, which changes with those who come and go."""
        with self._lock:
            self._visitors += 1
        try:
            yield lambda: max(1, min(self.most, self.slots // self._visitors))
        finally:
            with self._lock:
                self._visitors -= 1


def rendered(server: LlamaServer, chat: Chat) -> str:
    """The prompt, by the chat template of the server's GGUF."""
    with server.post("/apply-template", {"messages": chat}) as answer:
        return str(json.load(answer)["prompt"])


def read(server: LlamaServer, plan: dict[str, Any], ended: SimpleQueue[str | Exception], left: threading.Event) -> None:
    """Put each of `plan["n"]` lines, or what went wrong, into `ended`; in a thread, until the visitor has left."""
    texts = [""] * plan["n"]
    missing = plan["n"]
    try:
        with server.post("/completion", plan) as answer:
            for event in answer:
                if left.is_set():
                    return
                if not event.startswith(b"data: "):
                    continue
                part = json.loads(event.removeprefix(b"data: "))
                texts[part["index"]] += part["content"]
                if part["stop"]:
                    missing -= 1
                    ended.put("" if part["stop_type"] == "limit" else finished(texts[part["index"]]))
            if missing:
                raise IncompleteRead(b"")  # as where a connection breaks
    except Exception as error:  # it is raised where the lines are waited for
        ended.put(error)
