"""A distilabel pipeline on this machine that raises what stopped it."""

from __future__ import annotations

import time
from collections.abc import Callable

from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_NOT_LOADED_CODE, _STEP_UNLOADED_CODE

from pipelines.execution.interrupts import leave_interrupts

#: Seconds that steps usually take to load or to end at most.
_WAIT_S = 10.0


class StrictPipeline(Pipeline):  # type: ignore[misc]
    """A local pipeline that raises what stopped it; distilabel's own returns the rows it has and says nothing.

    Steps run in processes forked from this one: make it before other threads hold locks, and guard the main module
    (`if __name__ == "__main__"`) where the start method is spawn.
    """

    def _error_callback(self, e: BaseException) -> None:
        if not getattr(e, "is_load_error", False):
            self._exception = getattr(e, "subprocess_exception", e)
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
