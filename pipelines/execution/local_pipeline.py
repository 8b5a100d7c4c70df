"""A distilabel pipeline on this machine that raises what stopped it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_NOT_LOADED_CODE, _STEP_UNLOADED_CODE
from distilabel.pipeline.step_wrapper import _StepWrapper, _StepWrapperException

from pipelines.execution.interrupts import leave_interrupts

#: Seconds that steps usually take to load or to end at most.
_WAIT_S = 10.0


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

    def _run_step(self, step: Any, input_queue: Any, replica: int) -> None:
        queues = input_queue, self._output_queue, self._load_queue
        wrapper = StrictStepWrapper(step, replica, *queues, self._dry_run, ray_pipeline=False)
        self._pool.apply_async(wrapper.run, error_callback=self._error_callback)

    def _error_callback(self, e: BaseException) -> None:
        if not getattr(e, "is_load_error", False):
            self._exception = getattr(e, "subprocess_exception", e)
            if trace := getattr(e, "formatted_traceback", None):
                self._exception.add_note(f"in the step's process:\n{trace}")
        super()._error_callback(e)
        if not getattr(e, "is_load_error", False):
            with self._steps_load_status_lock:  # what waits for the steps to end would wait for ever for this one
                for step in self._steps_load_status:
                    self._steps_load_status[step] = _STEP_UNLOADED_CODE

    def _run_steps(self, steps: list[str]) -> None:
        """Start the steps and see them loaded; distilabel's own wait looks every 2.5 seconds."""
        super()._run_steps(steps)
        self._wait(lambda: _STEP_NOT_LOADED_CODE not in self._get_steps_load_status(steps).values())

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

    def _cache(self) -> None:
        """Write no state down: `run` takes none up, and what was paid for stands in the teacher's own store."""

    def _handle_keyboard_interrupt(self) -> None:
        """distilabel's handler waits for the batches in hand and then goes on as if done."""
        leave_interrupts()
