"""llama.cpp over a GGUF: the lines of all visitors grow in one batch."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from request import Problem

from engines.llama_lines import SAMPLING, Shares, read, rendered
from engines.llama_server import LlamaServer, ServerDiedError
from engines.loading import explained, hub_answers
from engines.sampling import Chat

# Two cores write as many tokens in eight lines at a time as in 32: more of them would only make each slower.
SLOTS = 16  # lines that grow at a time
MOST = 8  # of one visitor
FIRST = 2  # of a visitor who has just come: others may be coming, too
CONCURRENCY = 8
TICK = 0.1  # seconds between two looks at whether the visitor is still there


class Llama:
    """The GGUF of a merged adapter and, where there is one, that of its base in the same repo."""

    name = "llama.cpp"
    concurrency = CONCURRENCY

    def __init__(self, repo: str, revision: str, file: str, base_file: str | None) -> None:
        self.repo, self.revision, self.file, self.base_file = repo, revision, file, base_file
        self.can_compare = base_file is not None
        self._servers: dict[str, LlamaServer] = {}
        self._loading = threading.Lock()
        self._shares = Shares(SLOTS, MOST)

    def load(self) -> None:
        self._server(self.file)

    def stop(self) -> None:
        """End the servers. The next call starts them again."""
        for server in self._servers.values():
            server.stop()

    def lines(
        self,
        chat: Chat,
        count: int,
        temperature: float,
        seed: int,
        *,
        base: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        adapter = self._server(self.file)
        server = self._server(self.base_file) if base and self.base_file else adapter
        try:
            prompt = rendered(adapter, chat)  # a base has no template of its own
            body = {"prompt": prompt, "temperature": temperature, **SAMPLING}
            yield from self._shared(server, body, count, seed, stopped)
        except ServerDiedError as error:
            traceback.print_exc(file=sys.stderr)
            for one in (adapter, server):
                one.restart(error.child)  # for the next press
            raise Problem("crashed") from error

    def _shared(
        self, server: LlamaServer, body: dict[str, object], count: int, seed: int, stopped: Callable[[], bool]
    ) -> Iterator[str]:
        """The lines, growing as many at a time as are this visitor's share."""
        ended: SimpleQueue[str | Exception] = SimpleQueue()
        left = threading.Event()
        asked = written = 0
        try:
            with self._shares.one() as share:
                while written < count and not stopped():
                    room = share() - (asked - written) if asked else FIRST
                    if (group := min(room, count - asked)) > 0:
                        plan = body | {"n": group, "seed": (seed + asked) % 2**31}
                        threading.Thread(target=read, args=(server, plan, ended, left), daemon=True).start()
                        asked += group
                    try:
                        line = ended.get(timeout=TICK)
                    except Empty:
                        continue
                    if isinstance(line, Exception):
                        raise line
                    written += 1
                    yield line
        finally:
            left.set()

    def _server(self, file: str) -> LlamaServer:
        """The running server of a GGUF.

        Raises:
            Problem: it cannot be loaded.
        """
        with self._loading, explained(self.repo):
            if file not in self._servers:
                self._servers[file] = LlamaServer(self._downloaded(file), SLOTS)
            self._servers[file].start()
            return self._servers[file]

    def _downloaded(self, file: str) -> Path:
        """The GGUF in the cache, without a question to the Hub where it is there already."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.repo, file, revision=self.revision, local_files_only=True))
        except LocalEntryNotFoundError:
            if not hub_answers(self.repo, self.revision):
                raise
        return Path(hf_hub_download(self.repo, file, revision=self.revision))
