"""transformers: on a CPU, on a GPU, and on the GPUs that ZeroGPU lends to each call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from settings import ON_ZERO_GPU

from engines.cores import usable_cores
from engines.decoding import Asked, decode, never
from engines.loading import explained
from engines.sampling import Chat
from engines.weights import Weights

CONCURRENCY = 8
MAX_ROWS = 64  # lines of one batch
TICK = 0.2  # seconds between two looks at whether the visitor is still there
LENT_S = 20  # seconds of a GPU on ZeroGPU, with its start; a quota must have as many left


@dataclass(frozen=True, eq=False)
class Waiting:
    """A request in front of the decoding thread; None ends its lines."""

    asked: Asked
    base: bool
    ended: SimpleQueue[str | Exception | None] = field(default_factory=SimpleQueue)


class Transformers:
    """A PEFT adapter and its base model."""

    name = "transformers"
    can_compare = True
    concurrency = CONCURRENCY

    def __init__(self, adapter: str, revision: str | None, base_model: str) -> None:
        self.adapter, self.revision, self.base_model = adapter, revision, base_model
        self._weights: Weights | None = None
        self._loading = threading.Lock()
        self._waiting: list[Waiting] = []
        self._arrived = threading.Condition()
        self._lent = _on_lent_gpu(self._decode_one)

    def load(self) -> None:
        with self._loading, explained(self.base_model):
            if self._weights is not None:
                return
            import torch

            torch.set_num_threads(usable_cores())
            self._weights = Weights(self.adapter, self.revision, self.base_model)
            if not ON_ZERO_GPU:
                threading.Thread(target=self._decode_all, args=(self._weights,), name="decoder", daemon=True).start()

    def lines(
        self,
        chat: Chat,
        count: int,
        temperature: float,
        seed: int,
        *,
        base: bool = False,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[str]:
        if ON_ZERO_GPU:  # each call has a process of its own, where nothing is heard of `stopped`
            for written in self._lent(Asked(chat, count, temperature, seed), base):
                if stopped():
                    return
                yield written
            return
        assert self._weights
        if base:
            with self._loading, explained(self.base_model):
                self._weights.load_base()
        left = threading.Event()
        waiting = Waiting(Asked(chat, count, temperature, seed, lambda: left.is_set() or stopped()), base)
        with self._arrived:
            self._waiting.append(waiting)
            self._arrived.notify()
        try:
            while not stopped():
                try:
                    line = waiting.ended.get(timeout=TICK)
                except Empty:
                    continue
                if line is None:
                    return
                if isinstance(line, Exception):
                    raise line
                yield line
        finally:
            left.set()

    def _decode_one(self, asked: Asked, base: bool) -> Iterator[str]:
        assert self._weights
        for _, line in decode(self._weights, [asked], base):
            yield line

    def _decode_all(self, weights: Weights) -> None:
        """Decode what waits, batch after batch, in a thread."""
        while True:
            batch = self._gathered()
            end: Exception | None = None
            try:
                for number, line in decode(weights, [one.asked for one in batch], batch[0].base):
                    batch[number].ended.put(line)
            except Exception as error:  # it is raised where the lines are waited for
                end = error
            for one in batch:
                one.ended.put(end)

    def _gathered(self) -> list[Waiting]:
        """Wait for a request; take along those that wait for the same model, as many as fit."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting)
            batch: list[Waiting] = []
            rows = 0
            for one in self._waiting:
                if one.base == self._waiting[0].base and (not batch or rows + one.asked.count <= MAX_ROWS):
                    batch.append(one)
                    rows += one.asked.count
            self._waiting = [one for one in self._waiting if one not in batch]
        return batch


def _on_lent_gpu(function: Callable[[Asked, bool], Iterator[str]]) -> Callable[[Asked, bool], Iterator[str]]:
    """The function with a GPU lent to each call on ZeroGPU, itself elsewhere."""
    if not ON_ZERO_GPU:
        return function
    import spaces  # before torch: it pretends that there is a GPU already

    lent: Callable[[Asked, bool], Iterator[str]] = spaces.GPU(duration=LENT_S)(function)
    return lent
