"""The process that llama.cpp serves a GGUF in. It reads what to serve from stdin, and ends with its parent.

    echo '{"gguf": …}' | python llama_child.py

A crash in native code ends this process, not the page. It imports nothing of the page.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


def main() -> None:
    """Print the address once the weights are loaded, and serve until the parent is gone, killed or not."""
    from xllamacpp import Server

    plan = json.load(sys.stdin)
    server = Server(params_of(plan))
    print(server.listening_address, flush=True)
    while os.getppid() == plan["parent"]:  # no pipe tells: what the parent forks would hold it open
        time.sleep(0.2)
    os._exit(0)  # the native threads need no farewell


def params_of(plan: dict[str, Any]) -> Any:
    """llama.cpp's parameters: many short answers at a time, nothing kept between them."""
    from xllamacpp import CommonParams

    params = CommonParams()
    params.model.path = plan["gguf"]
    params.n_parallel, params.n_ctx = plan["slots"], plan["context"]
    params.kv_unified = True  # a third faster for 24 lines, and a long prompt takes what short ones leave
    params.swa_full = True  # without it no prompt is read from the cache
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = plan["threads"]
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # threads that wait leave the cores to the page
    params.cache_ram_mib = params.n_ctx_checkpoints = 0
    params.api_keys = [plan["key"]]  # other users of the machine, and pages in its browsers, reach the port as well
    params.endpoint_slots = params.ui = False
    params.verbosity = 1  # errors
    params.port = 0
    return params


if __name__ == "__main__":
    main()
