# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself.
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest
from distilabel.steps import GeneratorStep, GlobalStep, LoadDataFromDicts, StepInput

from pipelines.errors import HanjulError
from pipelines.execution.deaths import died, raise_if_dead, watched
from pipelines.execution.running import StrictPipeline, run
from pipelines.execution.step_processes import StepProcesses

#: Seconds within which a run that lost a process must be over, on a busy machine.
PROMPT = 5
KEPT = "run the same command to go on: what was answered is kept"


class Counts(GeneratorStep):
    """Leaves its process id in a file at each moment, and stays there for long where it is to."""

    folder: Path
    stop_at: str

    @property
    def outputs(self):
        return ["number"]

    def load(self):
        super().load()
        self.pass_by("load")

    def unload(self):
        self.pass_by("end")
        super().unload()

    def process(self, offset: int = 0):
        yield [{"number": 1}], False
        self.pass_by("middle")
        yield [{"number": 2}], True

    def pass_by(self, moment: str) -> None:
        if moment == self.stop_at:
            new = self.folder / "new"
            new.write_text(str(os.getpid()))
            new.rename(self.folder / "at")
            time.sleep(60)


class Exits(GlobalStep):
    def process(self, inputs: StepInput):
        os._exit(3)
        yield inputs


@contextmanager
def at(folder: Path, act: Callable[[int], None]) -> Iterator[list[float]]:
    """Do something with the process of the step once it is where it stops; gives a list with the time of that."""
    times: list[float] = []

    def wait() -> None:
        while not (folder / "at").exists():
            time.sleep(0.01)
        times.append(time.monotonic())
        act(int((folder / "at").read_text()))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield times
    assert time.monotonic() - times[0] < PROMPT
    thread.join()


def counting(folder: Path, stop_at: str) -> StrictPipeline:
    with StrictPipeline("test", cache_dir=folder / "cache") as built:
        Counts(name="count", folder=folder, stop_at=stop_at)
    return built


@contextmanager
def starting_slowly(folder: Path, stop_at: str) -> Iterator[None]:
    """At the moment "start": all processes were made, and the one that made them has not gone on."""

    def fork(processes: StepProcesses, count: int) -> None:
        made(processes, count)
        if stop_at == "start":
            (folder / "at").touch()
            time.sleep(1)

    made = StepProcesses.fork
    with patch.object(StepProcesses, "fork", fork):
        yield


#: Threads of other tests, a Space's for instance.
OTHERS: list[threading.Thread] = []


@pytest.fixture(autouse=True)
def others() -> None:
    OTHERS[:] = threading.enumerate()


def nothing_left() -> bool:
    threads = [thread for thread in threading.enumerate() if not thread.daemon and thread not in OTHERS]
    return not multiprocessing.active_children() and not threads


@pytest.mark.field
@pytest.mark.parametrize("moment", ["load", "middle", "end"])
def test_a_step_that_is_killed_ends_the_run_at_once_and_is_named(tmp_path, moment):
    with (
        at(tmp_path, lambda pid: os.kill(pid, signal.SIGKILL)),
        pytest.raises(HanjulError) as caught,
    ):
        run(counting(tmp_path, moment))
    assert caught.value.what == "The step count died: it was ended by SIGKILL (out of memory?)"
    assert caught.value.where == f"process {(tmp_path / 'at').read_text()}"
    assert caught.value.next_step == f"see whether memory ran out, and {KEPT}"
    assert nothing_left()


def test_processes_that_cannot_be_made_leave_none(tmp_path, monkeypatch):
    def fails(processes: StepProcesses, count: int) -> None:
        made(processes, count)
        raise OSError("no more processes")

    made = StepProcesses.fork
    monkeypatch.setattr(StepProcesses, "fork", fails)
    with pytest.raises(RuntimeError, match="no more processes"):
        run(counting(tmp_path, ""))
    assert nothing_left()


def test_what_fails_in_a_thread_as_its_last_act_is_raised(tmp_path, monkeypatch):
    def fails(pipeline: StrictPipeline) -> None:
        raise LookupError("a broken batch")

    def ended(pipeline: StrictPipeline) -> threading.Thread:
        thread = threading.Thread(target=pipeline._output_queue_loop)
        thread.start()
        thread.join()
        return thread

    monkeypatch.setattr("distilabel.pipeline.base.BasePipeline._output_queue_loop", fails)
    monkeypatch.setattr(StrictPipeline, "_run_output_queue_loop_in_thread", ended)
    with pytest.raises(RuntimeError, match="a broken batch"):
        run(counting(tmp_path, ""))
    assert nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_how_it_died_is_said(tmp_path, number):
    said = f"The step count died: it was ended by {number.name} (process "
    with (
        at(tmp_path, lambda pid: os.kill(pid, number)),
        pytest.raises(HanjulError, match=f"^{said}".replace("(", r"\(")),
    ):
        run(counting(tmp_path, "middle"))


def test_a_step_that_exits_is_named_with_its_code(tmp_path):
    with StrictPipeline("test", cache_dir=tmp_path) as built:
        LoadDataFromDicts(data=[{"number": 1}]) >> Exits(name="exit")
    with pytest.raises(HanjulError, match=r"^The step exit died: it ended with exit code 3 "):
        run(built)
    assert nothing_left()


@pytest.mark.field
def test_the_manager_of_the_queues_may_be_killed_too(tmp_path, capfd):
    others = psutil.Process().children()  # of other tests, a Hub for instance

    def kill(step: int) -> None:
        (manager,) = (child for child in psutil.Process().children() if child.pid != step and child not in others)
        manager.kill()

    with at(tmp_path, kill), pytest.raises(HanjulError, match=r"^The process that holds the queues died: .* SIGKILL"):
        run(counting(tmp_path, "middle"))
    assert nothing_left()
    assert "Traceback" not in capfd.readouterr().err


def test_what_a_step_has_started_ends_with_it(tmp_path):
    """Even what does not look after its parent."""
    found: list[psutil.Process] = []

    def interrupt(step: int) -> None:
        found.extend(psutil.Process(step).children())
        os.kill(os.getpid(), signal.SIGINT)

    with StrictPipeline("test", cache_dir=tmp_path / "cache") as built:
        Starts(name="start", folder=tmp_path, stop_at="middle")
    with at(tmp_path, interrupt), pytest.raises(KeyboardInterrupt):
        run(built)
    assert len(found) == 1
    assert psutil.wait_procs(found, timeout=2)[1] == []


class Starts(Counts):
    def load(self):
        super().load()
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_run_ends_when_a_process_dies_that_it_depends_on(tmp_path):
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as server,
        watched("The server", server.poll),
        at(tmp_path, lambda pid: server.kill()),
        pytest.raises(HanjulError, match=r"^The server died: it was ended by SIGKILL"),
    ):
        run(counting(tmp_path, "middle"))
    raise_if_dead()  # nothing is watched any more


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, "X died: its exit code is not known"),
        (0, "X died: it ended with exit code 0"),
        (-signal.SIGBUS, "X died: it was ended by SIGBUS"),
        (-50, "X died: it was ended by signal 50"),
    ],
)
def test_codes_in_words(code, said):
    assert died("X", code).what == said
    assert died("X", code).next_step == KEPT
