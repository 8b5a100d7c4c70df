"""One thread that loads the model and writes, in order: what is asked while the model loads queues behind the load."""

from __future__ import annotations

import contextvars
import secrets
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from model import ON_ZERO_GPU, Model
from request import Problem, Request

ROUNDS = 3  # batches that a request gets to replace lines that came out empty or twice
MAX_WAITING = 16  # requests in the queue; one takes a few seconds on two cores
TICK = 0.3  # seconds between two looks at the queue

LOADING = "모델을 불러오는 중입니다. 준비되는 대로 씁니다."
WRITING = "쓰고 있습니다."
BUSY = "지금은 기다리는 분이 많습니다. 잠시 뒤에 다시 눌러 주세요."
FAILED = "카피를 쓰다가 문제가 생겼습니다. 다시 눌러 주세요."
NOTHING = "보여 드릴 만한 카피가 나오지 않았습니다. 다시 누르거나 가치를 바꿔 보세요."


class Writer:
    """The queue in front of a model."""

    def __init__(self, model: Model, prompt_format: str) -> None:
        self.model, self.prompt_format = model, prompt_format
        self._waiting: list[Job] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        if ON_ZERO_GPU:  # what is on `cuda` before the page starts is what ZeroGPU hands to its workers
            self._load()
        else:
            self._thread.submit(self._load)

    @property
    def loading(self) -> bool:
        return not (self.model.ready or self.model.problem)

    def write(self, request: Request) -> Iterator[tuple[str, list[str]]]:
        """Yield (sentence, lines so far) whenever one of them changes; the last one has all the lines.

        Raises:
            Problem: too many are waiting, the model cannot be loaded, or writing failed.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise Problem(BUSY)
        job = Job(request)
        self._waiting.append(job)
        self._thread.submit(contextvars.copy_context().run, self._work, job)  # ZeroGPU looks the visitor up in it
        lines: list[str] = []
        said = None
        try:
            while True:
                try:
                    item = job.out.get(timeout=TICK)
                except Empty:
                    if said != (said := self._sentence(job)):
                        yield said, lines
                    continue
                if isinstance(item, Problem):
                    raise item
                if item is None:
                    break
                lines, said = [*lines, item], WRITING
                yield said, lines
            if not lines:
                raise Problem(NOTHING)
        finally:
            job.left.set()

    def _sentence(self, job: Job) -> str:
        if self.loading:
            return LOADING
        try:
            ahead = self._waiting.index(job)
        except ValueError:  # it has just ended
            ahead = 0
        return f"앞에 기다리는 분이 {ahead}명 있습니다. 차례가 오면 바로 씁니다." if ahead else WRITING

    def _work(self, job: Job) -> None:
        """One request, in the writer's thread. It always ends, so the queue always moves on."""
        try:
            if not job.left.is_set():
                self.model.load()
                for line in self._lines(job.request):
                    job.out.put(line)
                    if job.left.is_set():
                        break
            job.out.put(None)
        except Problem as problem:
            job.out.put(problem)
        except Exception:  # whatever it is, the visitor reads a sentence and the log has the trace
            traceback.print_exc(file=sys.stderr)
            job.out.put(Problem(FAILED))
        finally:
            self._waiting.remove(job)

    def _lines(self, request: Request) -> Iterator[str]:
        """Different lines, as many as asked for if `ROUNDS` batches give them."""
        chat = request.chat(self.prompt_format)
        seen: set[str] = set()
        for _ in range(ROUNDS):
            missing = request.count - len(seen)
            for line in self.model.lines(chat, missing, request.temperature, secrets.randbits(32)):
                if line and line not in seen:
                    seen.add(line)
                    yield line
            if len(seen) == request.count:
                return

    def _load(self) -> None:
        with suppress(Problem):  # the model keeps it, the page shows it, the next request tries again
            self.model.load()


class Job:
    """A request in the queue.

    Attributes:
        out: its lines, then None, or the Problem that ended it.
        left: the visitor is gone.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.out: SimpleQueue[str | Problem | None] = SimpleQueue()
        self.left = threading.Event()
