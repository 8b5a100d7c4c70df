"""llama.cpp's OpenAI-compatible server over a GGUF, for as long as a block runs.

It runs in a child process: a crash in native code ends the child, not the release, and the child shares neither the
interpreter lock nor the memory of a parent that forks. The child ends with its parent, even when that is killed.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pipelines.errors import HanjulError
from pipelines.execution.deaths import watched
from pipelines.likelihood.generation import TOP_K
from scripts.core import env

_START_S = 180.0
_STOP_S = 5.0


@contextmanager
def serve(gguf: Path, lora: Path | None, chat_template: str, slots: int, context_per_slot: int) -> Iterator[str]:
    """Yield the base URL (`http://127.0.0.1:PORT/v1`) of a server that answers `slots` requests at a time.

    Args:
        lora: adapter GGUF on top (scripts/models/lora_gguf.py), or None.
        chat_template: Jinja template for /v1/chat/completions.
        context_per_slot: tokens of prompt and answer together.

    Raises:
        HanjulError: the server does not start.
    """
    plan = {
        "gguf": str(gguf),
        "lora": str(lora) if lora else None,
        "chat_template": chat_template,
        "slots": slots,
        "context": slots * context_per_slot,
        "parent": os.getpid(),
    }
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "scripts.models.llama_server", json.dumps(plan)],
            cwd=env.ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent, whose block may still need the server
        )
        try:
            url = f"{_wait(child, gguf, errors)}/v1"
            with watched("The server of the embedded model (llama.cpp)", child.poll):
                yield url
        finally:
            _stop(child)


def _wait(child: subprocess.Popen[str], gguf: Path, errors: IO[bytes]) -> str:
    """The address the child prints once it listens, checked to be healthy."""
    assert child.stdout
    deadline = threading.Timer(_START_S, child.kill)
    deadline.start()
    try:
        address = child.stdout.readline().strip()
        while address and child.poll() is None:
            if _healthy(address):
                return address
            time.sleep(0.1)
    finally:
        deadline.cancel()
    child.wait()
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    raise HanjulError(
        f"llama.cpp did not start: {said[-1] if said else f'exit status {child.returncode}'}",
        str(gguf),
        "check the file and the free memory, or name an endpoint in teacher.base_url",
    )


def _healthy(address: str) -> bool:
    """Whether /health answers 200. Not through urllib: a proxy from the environment must not see this."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:
        child.stdout.close()


def _params(plan: dict[str, Any]) -> Any:
    from xllamacpp import CommonAdapterLoraInfo, CommonParams

    params = CommonParams()
    params.model.path = plan["gguf"]
    if plan["lora"]:
        adapter = CommonAdapterLoraInfo()
        adapter.path, adapter.scale = plan["lora"], 1.0
        params.lora_adapters = [adapter]
    params.chat_template = plan["chat_template"]
    params.n_parallel, params.n_ctx = plan["slots"], plan["context"]
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    # llama.cpp's own defaults (40 and 0.05) would cut the tail of answers to requests that name temperature and top_p;
    # without any top_k it sorts 262,144 tokens for each token it draws.
    params.sampling.top_k, params.sampling.min_p = TOP_K, 0.0
    params.cache_ram_mib = params.n_ctx_checkpoints = 0  # prompts of a few tokens are not worth keeping
    params.ui = False
    params.verbosity = 1  # errors
    params.port = 0
    return params


def main(plan: dict[str, Any]) -> None:
    """Serve until the parent is gone. Its pid tells, not a pipe: a process it forked would hold the pipe open."""
    from xllamacpp import Server

    server = Server(_params(plan))
    print(server.listening_address, flush=True)
    while os.getppid() == plan["parent"]:
        time.sleep(0.2)
    os._exit(0)  # the native threads need no farewell


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
