from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipelines.execution.interrupts import one_interrupt, uninterrupted

ROOT = Path(__file__).parents[3]
#: A command as the CLI runs it: known errors are a sentence and exit code 1.
COMMAND = """
import sys
from pathlib import Path
from pipelines.errors import HanjulError
from pipelines.execution.running import run
from scripts.core.faults import explained
from tests.pipelines.execution.test_deaths import counting, starting_slowly
try:
    with explained(), starting_slowly(Path(sys.argv[1]), sys.argv[2]):
        run(counting(Path(sys.argv[1]), sys.argv[2]))
except HanjulError as error:
    sys.exit(f"error: {error}")
"""


@pytest.mark.field
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("moment", ["start", "load", "middle", "end"])
def test_ctrl_c_is_one_sentence_and_leaves_nobody(tmp_path, moment, times):
    """As a terminal does it, all processes of the group get the signal."""
    command = [sys.executable, "-c", COMMAND, str(tmp_path), moment]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "at").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert "Traceback" not in said and "EOFError" not in said and "BrokenPipe" not in said
    assert said.count("error: Interrupted → finished stages are kept; run the same command to go on") == 1
    assert process.returncode == 1
    assert psutil.wait_procs(children, timeout=3)[1] == []


def test_only_the_first_interrupt_is_raised_and_the_handler_of_before_is_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), one_interrupt():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_is_put_off_and_comes_then():
    done = False
    with pytest.raises(KeyboardInterrupt):
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done = True
        time.sleep(1)
    assert done
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
