# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself.
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import ClassVar

import datasets
import psutil
import pytest
from distilabel.pipeline.base import BasePipeline
from distilabel.steps import GeneratorStep, GlobalStep, LoadDataFromDicts, Step, StepInput

from pipelines.errors import HanjulError
from pipelines.execution.running import StrictPipeline, run

SLEEP = 60


class Breaks(Step):
    @property
    def inputs(self):
        return ["number"]

    @property
    def outputs(self):
        return ["double"]

    def process(self, inputs: StepInput):
        if any(row["number"] == 3 for row in inputs):
            raise RuntimeError("three is too many")
        yield [{**row, "double": row["number"] * 2} for row in inputs]


class BreaksGlobally(Breaks, GlobalStep):
    pass


class Sleeps(GlobalStep):
    def process(self, inputs: StepInput):
        self.artifacts_directory.mkdir(parents=True)
        (self.artifacts_directory / "sleeping").touch()
        time.sleep(SLEEP)
        yield inputs


class BreaksMaking(GeneratorStep):
    error: ClassVar[Exception]

    @property
    def outputs(self):
        return ["number"]

    def process(self, offset: int = 0):
        yield [{"number": 0}], False
        raise self.error


class BreaksOnABug(BreaksMaking):
    error = LookupError("no more numbers")


class BreaksOnPurpose(BreaksMaking):
    error = HanjulError("There are no more numbers", "numbers.json", "add some")


def pipeline(folder: Path, *steps: type[Step], count: int) -> StrictPipeline:
    with StrictPipeline("test", cache_dir=folder) as built:
        last = LoadDataFromDicts(data=[{"number": number} for number in range(count)], batch_size=2)
        for step in steps:
            last = last >> step(input_batch_size=2)
    return built


def test_gives_the_rows_and_leaves_the_process_as_it_was(tmp_path, capfd):
    handler, cache = signal.getsignal(signal.SIGINT), datasets.config.HF_DATASETS_CACHE
    rows = run(pipeline(tmp_path, Breaks, count=3))
    assert sorted(row["double"] for row in rows) == [0, 2, 4]
    assert signal.getsignal(signal.SIGINT) is handler
    assert cache == datasets.config.HF_DATASETS_CACHE
    assert capfd.readouterr().out == ""


def test_does_not_take_rows_of_another_run_from_the_cache(tmp_path):
    assert len(run(pipeline(tmp_path, Breaks, count=2))) == 2
    assert len(run(pipeline(tmp_path, Breaks, count=3))) == 3


def test_a_failed_batch_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="the pipeline test stopped: RuntimeError: three is too many"):
        run(pipeline(tmp_path, Breaks, count=6))


def test_a_failed_global_step_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="the pipeline test stopped: RuntimeError: three is too many"):
        run(pipeline(tmp_path, BreaksGlobally, count=6))


def test_interrupt_ends_it_at_once(tmp_path, capfd):
    def interrupt() -> None:
        while not list(tmp_path.rglob("sleeping")):
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    BasePipeline._handle_keyboard_interrupt(None)  # a plain pipeline leaves its handler behind
    others = threading.enumerate()  # of other tests, a Space for instance
    started = time.monotonic()
    user = threading.Thread(target=interrupt, daemon=True)
    user.start()
    with pytest.raises(KeyboardInterrupt):
        run(pipeline(tmp_path, Sleeps, count=2))
    user.join()
    assert time.monotonic() - started < SLEEP
    left = [thread for thread in threading.enumerate() if thread.is_alive() and not thread.daemon]
    assert not [thread for thread in left if thread not in others]
    assert not multiprocessing.active_children()
    assert "Traceback" not in capfd.readouterr().err


def test_a_generator_that_breaks_ends_it_at_once(tmp_path):
    with StrictPipeline("test", cache_dir=tmp_path) as built:
        BreaksOnABug() >> Breaks(input_batch_size=2)
    with pytest.raises(RuntimeError, match="the pipeline test stopped: LookupError: no more numbers") as caught:
        run(built)
    assert "raise self.error" in "".join(traceback.format_exception(caught.value))


def test_what_a_step_raises_on_purpose_comes_out_whole(tmp_path):
    with StrictPipeline("test", cache_dir=tmp_path) as built:
        BreaksOnPurpose() >> Breaks(input_batch_size=2)
    with pytest.raises(HanjulError) as caught:
        run(built)
    error = caught.value
    assert (error.what, error.where, error.next_step) == ("There are no more numbers", "numbers.json", "add some")


def test_its_processes_end_with_it_even_when_it_is_killed(tmp_path):
    code = "import sys; from pathlib import Path; from tests.pipelines.execution.test_running import *; "
    code += "run(pipeline(Path(sys.argv[1]), Sleeps, count=2))"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("sleeping")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
