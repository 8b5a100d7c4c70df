"""A Space on ZeroGPU as far as a machine without a GPU takes it: start, packing, the call of `/schedule`.

    SPACES_ZERO_GPU=1 SPACES_ZERO_DEVICE_API_URL=… python -m tests.space.engines.zero_space ADAPTER BASE

`spaces` itself pretends that there is a GPU until a worker starts, if torch was built for CUDA. The CPU build lacks
three names that it reads; they are given here, and nothing else is changed. Prints the device of the weights, then the
address.
"""

from __future__ import annotations

import signal
import sys

import torch

torch.version.cuda = "13.0"
torch.cuda._is_in_bad_fork = bool  # False, and can be pickled
torch._C._cuda_init = bool  # never called: `spaces` replaces it

sys.path.insert(0, "space")

from engines.transformers_engine import Transformers  # noqa: E402
from gradio import Error, Server  # noqa: E402

CHAT = [{"role": "user", "content": "상품: 제습기\n가치: 여유"}]


def main(adapter: str, base: str) -> None:
    engine = Transformers(adapter, None, base)
    engine.load()
    print(engine._weights.model(False).device, engine._weights.model(True).device, flush=True)
    server = Server()

    @server.api(name="write")
    def write() -> str:
        try:
            return "\n".join(engine.lines(CHAT, 2, 0.8, 1))
        except Error as error:
            return f"{type(error).__name__} {error.title}: {error.message}"

    _, address, _ = server.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    print(address, flush=True)
    signal.pause()  # until it is killed; a read of stdin would keep the workers, which fork, from closing it


if __name__ == "__main__":
    main(*sys.argv[1:])
