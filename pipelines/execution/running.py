"""Runs a distilabel pipeline so that nothing is swallowed, and gives its rows."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import rich
from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_NOT_LOADED_CODE, _STEP_UNLOADED_CODE, BasePipeline
from distilabel.utils.logging import stop_logging

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


def leave_interrupts() -> None:
    """Leave Ctrl-C to Python. A plain pipeline that ran before has left its handler, which speaks to closed queues."""
    if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == BasePipeline.__module__:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pipeline_of(name: str, cache_dir: Path, engine: str = "local") -> BasePipeline:
    """An empty pipeline that raises what stops it.

    Args:
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
        engine: `local` (processes on this machine) or `ray` (the cluster that RAY_ADDRESS names, else one on this
            machine).
    """
    if engine == "ray":
        from pipelines.execution.ray_pipeline import StrictRayPipeline

        return StrictRayPipeline(name, cache_dir=cache_dir)
    return StrictPipeline(name, cache_dir=cache_dir)


def run(pipeline: BasePipeline) -> list[dict[str, Any]]:
    """Run a pipeline with one leaf step, from the main thread, and give the rows of the leaf; raises as `leaf_of`."""
    rows: list[dict[str, Any]] = leaf_of(pipeline).to_list()
    return rows


def leaf_of(pipeline: BasePipeline) -> Any:
    """Run a pipeline with one leaf step, from the main thread, and give the leaf as a `datasets.Dataset`.

    Its rows stand on disk, in the pipeline's cache folder, for leaves that are too large to hold. Nothing is taken from
    distilabel's cache: it knows steps, not the rows they were given.

    Raises:
        ValueError: a step failed, on a batch or altogether; the message says which and why.
        KeyboardInterrupt: the user stopped it.
    """
    rich.reconfigure(stderr=True)  # distilabel logs through rich, and stdout is for data
    with _contained(pipeline._cache_dir / "datasets"), _no_orphans():
        try:
            distiset = pipeline.run(use_cache=False)
        except Exception as error:
            cause = error.__cause__ or error
            raise ValueError(f"the pipeline {pipeline.name} stopped: {cause}; the log above names the step") from error
        except KeyboardInterrupt:
            _join_threads(pipeline)
            raise
        finally:
            stop_logging()
        return _leaf(pipeline.name, distiset)


def _join_threads(pipeline: BasePipeline) -> None:
    """See the threads of a stopped run off. They read from queues that went with the processes, and would say so."""
    loud = threading.excepthook
    threading.excepthook = lambda args: None if isinstance(args.exc_value, EOFError | OSError) else loud(args)
    try:
        for name in ("_output_queue_thread", "_load_steps_thread"):
            if thread := getattr(pipeline, name, None):  # not there when stopped before the first step was started
                thread.join()
    finally:
        threading.excepthook = loud


#: Whether processes forked now end with this one; a hook at fork cannot be taken back.
_watched = False
#: Seconds between two looks at the parent.
_WATCH_S = 0.1


@contextmanager
def _no_orphans() -> Iterator[None]:
    """Have the processes forked meanwhile end with this one, even when it is killed: an orphan would go on paying."""
    global _watched
    _watched = True
    try:
        yield
    finally:
        _watched = False


def end_with_parent() -> None:
    """In a step's process: end when the process that started it does. Where processes are not forked, steps call it."""
    if not _watched and multiprocessing.parent_process():
        _watch_parent()


def _watch_forked() -> None:
    if _watched:
        _watch_parent()


def _watch_parent() -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_watch_forked)


@contextmanager
def _contained(cache: Path) -> Iterator[None]:
    """Undo what a run changes in this process: logging, and where and how loudly `datasets` reads the rows.

    distilabel leaves a handler on the root logger whose queue is closed: every later log line would be a traceback.
    """
    home = datasets.config.HF_DATASETS_CACHE
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    loud = not datasets.are_progress_bars_disabled()
    datasets.config.HF_DATASETS_CACHE = cache
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        datasets.config.HF_DATASETS_CACHE = home
        if loud:
            datasets.enable_progress_bars()


def _leaf(name: str, distiset: Any) -> Any:
    if "default" not in distiset:
        raise ValueError(f"the pipeline {name} ended without rows; see the log above for the step that failed")
    leaf = distiset["default"]["train"]
    # A step that raises on a batch has its outputs filled with None and the pipeline goes on.
    missing = [column for column in leaf.column_names if column != "scores" and leaf.data[column].null_count]
    if missing:
        raise ValueError(f"the pipeline {name} failed on a batch: no {', '.join(missing)}; see the log above")
    return leaf
