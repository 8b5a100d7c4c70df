"""Start a training job in as many processes as it is to have."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from pipelines.errors import HanjulError
from pipelines.text.counted import counted
from scripts.core import env
from scripts.core.settings import TrainSettings
from scripts.training.worker import ERROR_FILE, PARENT_VARIABLE, TRACEBACK_FILE, run_job

#: Seconds that processes have to finish a step and write a checkpoint on SIGTERM.
STOP_S = 300


def process_count(settings: TrainSettings) -> int:
    """Count the processes that train: what the recipe says, else one for each GPU, else one.

    Raises:
        HanjulError: the rows of a step cannot be shared out over them, or there are fewer GPUs.
    """
    import torch

    gpus = torch.cuda.device_count()
    count = settings.processes or max(gpus, 1)
    if gpus and count > gpus:
        raise HanjulError(f"{count} processes need {count} GPUs, here: {gpus}", "train.processes", "lower it")
    if settings.batch_size % count:
        raise HanjulError(
            f"{counted(settings.batch_size, 'row')} a step cannot be shared out over {count} processes",
            "train.batch_size",
            f"take a multiple of {count}, or set train.processes",
        )
    return count


def run(folder: Path, processes: int) -> None:
    """Run the job in a folder: in this process when there is one, else in processes of torchrun.

    Raises:
        HanjulError: what `worker.run_job` raises, or a process that died.
        RuntimeError: a bug ended a process; its traceback is in the message.
    """
    import torch

    if processes == 1 and torch.cuda.device_count() <= 1:  # with more GPUs, Trainer would spread one process over all
        run_job(folder)
        return
    for name in (ERROR_FILE, TRACEBACK_FILE):
        (folder / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += ["--shutdown-timeout", str(STOP_S)]
    threads = max((os.cpu_count() or 1) // processes, 1)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), PARENT_VARIABLE: str(os.getpid())}
    child = subprocess.Popen(
        [*command, "-m", "scripts.training.worker", str(folder)],
        cwd=env.ROOT,
        env=environment,
        stdout=sys.stderr,  # stdout is for URIs
    )
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is threading.main_thread():

        def forward(number: int, frame: FrameType | None) -> None:
            child.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
    try:
        code = child.wait()
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
        if child.poll() is None:
            child.terminate()
            child.wait()
    if (folder / ERROR_FILE).is_file():
        raise HanjulError(**json.loads((folder / ERROR_FILE).read_text(encoding="utf-8")))
    if code and (folder / TRACEBACK_FILE).is_file():
        trace = (folder / TRACEBACK_FILE).read_text(encoding="utf-8")
        raise RuntimeError(f"a process of the training failed\n{trace}")
    if code:
        raise HanjulError(
            f"A process of the training ended with status {code}",
            str(folder),
            "read the log above, then run the same command again: it goes on from the last checkpoint",
        )
