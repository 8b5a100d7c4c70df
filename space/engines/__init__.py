"""What writes the lines: llama.cpp on a CPU where the adapter has a GGUF, transformers everywhere else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from settings import ON_ZERO_GPU, Settings

from engines.llama import Llama
from engines.sampling import Chat
from engines.transformers_engine import Transformers


class Engine(Protocol):
    """What the writer asks of an engine.

    Attributes:
        name: as the page's status shows it.
        can_compare: the base model can write, too.
        concurrency: requests that it takes at the same time.
    """

    name: str
    can_compare: bool
    concurrency: int

    def load(self) -> None:
        """Load the weights unless they are there; after a failure the next call tries again.

        Raises:
            Problem: they cannot be loaded.
        """

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
        """Yield each line when it ends; "" for one that broke off. Nothing more comes once it is stopped.

        Raises:
            Problem: the engine crashed, or the base model cannot be loaded.
        """


def choose(settings: Settings) -> Engine:
    """The engine for these settings on this machine. It loads nothing yet, and imports nothing heavy.

    Raises:
        ValueError: llama.cpp is asked for, and there is no GGUF.
    """
    wanted = settings.engine
    if wanted == "auto":
        wanted = "llama" if settings.gguf and not (ON_ZERO_GPU or _has_gpu()) else "transformers"
    if wanted == "transformers":
        return Transformers(settings.adapter, settings.revision, settings.base_model)
    if not settings.gguf:
        raise ValueError("llama.cpp needs a GGUF: name one in settings.json (gguf) or in HANJUL_GGUF")
    return Llama(settings.gguf["repo"], settings.gguf["revision"], settings.gguf["file"], settings.gguf["base_file"])


def _has_gpu() -> bool:
    """Whether NVIDIA's driver is there. torch would know better, and takes seconds to import."""
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
