"""What stands behind the server in its tests: an engine that writes from a script, a critic and a choice to match."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from gradio import Server
from request import Problem
from settings import Settings
from web import server
from writer import Writer

from pipelines.rows import PROMPT_FORMAT

PAGE = """<!doctype html><html lang="{{lang}}"><head><meta charset="utf-8"><title>{{title}}</title>
<meta property="og:title" content="{{title}}"><meta property="og:description" content="{{description}}">
<script type="module" src="page/page.js"></script></head><body><h1>{{title}}</h1></body></html>"""


@dataclass(frozen=True)
class Asked:
    """One call of the engine."""

    chat: list[dict[str, str]]
    count: int
    temperature: float
    seed: int
    base: bool
    stopped: Callable[[], bool]


def numbered(asked: Asked) -> Iterator[str]:
    """As many different lines as are asked for."""
    yield from (f"{place}번째 줄" for place in range(asked.count))


def slowly(seconds: float) -> Callable[[Asked], Iterator[str]]:
    """Different lines with a wait before each, until nobody wants more."""

    def write(asked: Asked) -> Iterator[str]:
        for line in numbered(asked):
            time.sleep(seconds)
            if asked.stopped():
                return
            yield line

    return write


@dataclass
class Engine:
    """Loads by a function, writes by another, and remembers what it was asked."""

    write: Callable[[Asked], Iterator[str]] = numbered
    before: Callable[[], Any] = lambda: None
    concurrency: int = 2
    can_compare: bool = True
    name: str = "scripted"
    asked: list[Asked] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)  # names of the threads

    def load(self) -> None:
        self.loads.append(threading.current_thread().name)
        self.before()

    def lines(
        self,
        chat: list[dict[str, str]],
        count: int,
        temperature: float,
        seed: int,
        *,
        base: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        asked = Asked(chat, count, temperature, seed, base, stopped)
        self.asked.append(asked)
        yield from self.write(asked)


@dataclass
class Critic:
    """Finds the faults that it is told of."""

    faults: dict[str, str] = field(default_factory=dict)
    grades: dict[str, float] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def load(self) -> None:
        """Nothing to load."""

    def refuse(self, product: str, values: Sequence[str]) -> str:
        return self.refusals.get(product, "")

    def fault(self, product: str, values: Sequence[str], line: str) -> str:
        return self.faults.get(line, "")

    def scores(self, product: str, values: Sequence[str], lines: Sequence[str]) -> list[float]:
        return [self.grades.get(line, 0.0) for line in lines]


class Selection:
    """The best first; of equals, the one that came first."""

    def __init__(self, like: str = "") -> None:
        self.like = like
        self._lines: list[tuple[str, float]] = []

    def add(self, line: str, score: float) -> None:
        self._lines.append((line, score))

    def take(self) -> str | None:
        if not self._lines:
            return None
        best = max(self._lines, key=lambda graded: graded[1])
        self._lines.remove(best)
        return best[0]


class Feedback:
    """Keeps votes in a list."""

    def __init__(self, off: bool = False) -> None:
        self.off, self.votes = off, list[tuple[Any, ...]]()

    def keep(
        self, kind: Any, product: Any, values: Any, line: Any, edited: Any = "", others: Any = (), lang: Any = "ko"
    ) -> None:
        if self.off:
            raise Problem("feedback_off")
        self.votes.append((kind, product, values, line, edited, others, lang))


def make_settings(**changes: Any) -> Settings:
    facts: dict[str, Any] = {
        "adapter": "a/b",
        "revision": "0" * 40,
        "base_model": "c/d",
        "dataset": "",
        "prompt_format": PROMPT_FORMAT,
        "title": "한 줄 <카피>",
        "examples": [{"product": "제습기", "values": ["뽀송함"]}],
    }
    return Settings(**facts | changes)


def make_writer(engine: Engine, critic: Critic | None = None, prompt_format: str = PROMPT_FORMAT) -> Writer:
    return Writer(engine, critic or Critic(), Selection, prompt_format)


@contextmanager
def serve(
    writer: Writer, page: Path, chosen: Settings | None = None, feedback: Feedback | None = None
) -> Iterator[str]:
    """Address of a launched server, which loads meanwhile.

    Args:
        page: folder to put a small page in, unless it holds one.
    """
    if not (page / "index.html").exists():
        (page / "index.html").write_text(PAGE, encoding="utf-8")
        (page / "page.js").write_text("export {};\n", encoding="utf-8")
    built: Server = server.build(chosen or make_settings(), writer, feedback or Feedback(), page)
    address = server.launch(built)
    try:
        writer.loader.start()
        yield address
    finally:
        built.get_blocks().close(verbose=False)


#: What the page sends, in order.
PRESS: dict[str, Any] = {
    "product": "제습기",
    "values": ["뽀송함", "여유"],
    "count": 2,
    "temperature": 0.3,
    "device": "",
    "tone": "",
    "base": False,
    "like": "",
    "lang": "ko",
    "visit": "",
    "job": "",
}


def press(url: str, headers: dict[str, str] | None = None, **changes: Any) -> Iterator[dict[str, Any]]:
    """Press the button as the page does, at once; the events come as they are read."""
    data = list((PRESS | changes).values())
    called = httpx.post(f"{url}/gradio_api/call/write", json={"data": data}, headers=headers)
    assert called.status_code == 200, called.text
    return read(f"{url}/gradio_api/call/write/{called.json()['event_id']}")


def read(url: str) -> Iterator[dict[str, Any]]:
    """The events of a stream, until it ends."""
    with httpx.stream("GET", url, timeout=60) as stream:
        kind = ""
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "generating":
                yield json.loads(value)[0]
            elif name == "data":
                assert kind in ("complete", "heartbeat"), line


def texts(event: dict[str, Any]) -> list[str]:
    return [line["text"] for line in event["lines"]]
