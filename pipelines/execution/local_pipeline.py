"""A distilabel pipeline on this machine that raises what stopped it."""

from __future__ import annotations

import multiprocessing
import queue
import sys
import time
from collections.abc import Callable
from typing import Any

from distilabel.distiset import create_distiset
from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_NOT_LOADED_CODE, _STEP_UNLOADED_CODE, BasePipeline
from distilabel.pipeline.step_wrapper import _StepWrapper, _StepWrapperException

from pipelines.execution.deaths import died, exit_code, raise_if_dead
from pipelines.execution.interrupts import uninterrupted
from pipelines.execution.step_processes import StepProcesses

#: Seconds that steps usually take to load or to end at most.
_WAIT_S = 10.0
#: Seconds between two looks at whether all processes live.
_LOOK_S = 0.1


class StrictStepWrapper(_StepWrapper):  # type: ignore[misc]
    """Fails where distilabel's own fills the outputs of a failed batch with None and goes on."""

    def _impute_step_outputs(self, batch: Any) -> Any:
        error = sys.exc_info()[1]  # what the step raised: distilabel calls this where it has caught that
        assert isinstance(error, Exception)
        self.step.unload()
        self._notify_unload()
        raise _StepWrapperException(str(error), self.step, 2, error) from error

    def _send_batch(self, batch: Any) -> None:
        """Send nothing of a failed batch: it might be the last, and the run be done before the failure is known."""
        if not sys.exc_info()[0]:
            super()._send_batch(batch)


class StrictPipeline(Pipeline):  # type: ignore[misc]
    """A local pipeline that raises what stopped it; distilabel's own returns the rows it has and says nothing.

    Steps run in processes forked from this one: make it before other threads hold locks, and guard the main module
    (`if __name__ == "__main__"`) where the start method is spawn.
    """

    def run(self, **options: Any) -> Any:
        """Run it, and end its processes, however it went.

        Raises:
            HanjulError: a process that it needs died.
            Exception: what a step raised.
        """
        self._log_queue: Any = queue.Queue()
        self._over = False
        BasePipeline.run(self, **options)  # makes it ready
        self._manager: Any = None
        self._processes = StepProcesses((self.name, self.signature), self._log_queue)
        threads: list[Any] = []
        try:
            with uninterrupted():  # one that came meanwhile is raised at its end, where there is something to end
                self._manager = multiprocessing.Manager()
                self._processes.fork(self.dag.get_total_replica_count())
                self._output_queue, self._load_queue = self.QueueClass(), self.QueueClass()
                threads += self._run_load_queue_loop_in_thread(), self._run_output_queue_loop_in_thread()
            self._watch_until(lambda: not threads[1].is_alive())
            self._write_buffer.close()
            self._stop_load_queue_loop()
            self._watch_until(lambda: not (threads[0].is_alive() or self._processes.look(0)))
        finally:
            self._end(threads)
        location = self._cache_location
        files = {"pipeline_path": location["pipeline"], "log_filename_path": location["log_file"]}
        return create_distiset(location["data"], **files, enable_metadata=self._enable_metadata, dag=self.dag)

    def _watch_until(self, done: Callable[[], bool]) -> None:
        """Wait, and raise what a step raises, or which process died."""
        manager = self._manager._process
        try:
            while not done():
                self._processes.look(_LOOK_S)
                raise_if_dead()
                if self._exception:
                    raise self._exception
        except (EOFError, OSError):  # also of a step
            if exit_code(manager) is None:  # it lives, and they failed to speak to somebody else
                raise
        if not manager.is_alive():
            raise died("The process that holds the queues", exit_code(manager), f"process {manager.pid}") from None
        if self._exception:  # it came with the end of what was waited for
            raise self._exception

    def _end(self, threads: list[Any]) -> None:
        """End processes and queues, as far as there are any, and with them every wait for either."""
        self._over = self._stop_called = True  # without its lock, which distilabel holds while steps load
        for step in self._steps_load_status:
            self._steps_load_status[step] = _STEP_UNLOADED_CODE
        self._processes.end()
        if self._manager:
            self._manager._process.kill()
            self._manager.shutdown()
        for thread in threads:
            thread.join()

    def _run_step(self, step: Any, input_queue: Any, replica: int) -> None:
        queues = input_queue, self._output_queue, self._load_queue
        wrapper = StrictStepWrapper(step, replica, *queues, self._dry_run, ray_pipeline=False)
        self._processes.start(step.name, wrapper)

    def _run_steps(self, steps: list[str]) -> None:
        """Start the steps and see them loaded; distilabel's own wait looks every 2.5 seconds."""
        super()._run_steps(steps)
        self._wait(lambda: _STEP_NOT_LOADED_CODE not in self._get_steps_load_status(steps).values())

    def _set_steps_not_loaded_exception(self) -> None:
        """Leave it to the step, which says itself why it could not be loaded."""

    def _finalize_pipeline_execution(self) -> None:
        """See the steps end; distilabel's own wait looks every half second."""
        self._notify_steps_to_stop()
        self._wait(lambda: not any(self._is_step_running(step) for step in self.dag))
        super()._finalize_pipeline_execution()

    def _wait(self, done: Callable[[], bool]) -> None:
        """A while, at short intervals; distilabel's own wait then finds it done, or goes on."""
        deadline = time.monotonic() + _WAIT_S
        while not done() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _output_queue_loop(self) -> None:
        self._to_its_end(super()._output_queue_loop)

    def _run_load_queue_loop(self) -> None:
        self._to_its_end(super()._run_load_queue_loop)

    def _to_its_end(self, loop: Callable[[], None]) -> None:
        """Run a loop of a thread, and keep what ended it before its time; once all is over, its queues are gone."""
        try:
            loop()
        except Exception as error:
            if not self._over:
                self._exception = error

    def _cache(self) -> None:
        """Write no state down: `run` takes none up, and what was paid for stands in the teacher's own store."""
