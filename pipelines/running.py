"""Runs a distilabel pipeline so that nothing is swallowed, and gives its rows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import rich
from distilabel.pipeline import Pipeline
from distilabel.utils.logging import stop_logging


class StrictPipeline(Pipeline):  # type: ignore[misc]
    """A local pipeline that raises what stopped it; distilabel's own returns the rows it has and says nothing.

    Steps run in processes forked from this one: make it before other threads hold locks, and guard the main module
    (`if __name__ == "__main__"`) where the start method is spawn.
    """

    def _error_callback(self, e: BaseException) -> None:
        if not getattr(e, "is_load_error", False):
            self._exception = getattr(e, "subprocess_exception", e)
        super()._error_callback(e)

    def _handle_keyboard_interrupt(self) -> None:
        """Leave Ctrl-C to Python: distilabel's handler waits for the batches in hand and then goes on as if done."""


def run(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Run a pipeline with one leaf step, from the main thread, and give the rows of the leaf.

    Nothing is taken from distilabel's cache: it knows steps, not the rows they were given.

    Raises:
        ValueError: a step failed, on a batch or altogether; the message says which and why.
        KeyboardInterrupt: the user stopped it.
    """
    rich.reconfigure(stderr=True)  # distilabel logs through rich, and stdout is for data
    with _contained(pipeline._cache_dir / "datasets"):
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
        return _rows(pipeline.name, distiset)


def _join_threads(pipeline: Pipeline) -> None:
    """See the threads of a stopped run off. They read from queues that went with the processes, and would say so."""
    loud = threading.excepthook
    threading.excepthook = lambda args: None if isinstance(args.exc_value, EOFError | OSError) else loud(args)
    try:
        pipeline._output_queue_thread.join()
        pipeline._load_steps_thread.join()
    finally:
        threading.excepthook = loud


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


def _rows(name: str, distiset: Any) -> list[dict[str, Any]]:
    if "default" not in distiset:
        raise ValueError(f"the pipeline {name} ended without rows; see the log above for the step that failed")
    rows: list[dict[str, Any]] = distiset["default"]["train"].to_list()
    for row in rows:
        # A step that raises on a batch has its outputs filled with None and the pipeline goes on.
        if missing := [column for column, value in row.items() if value is None and column != "scores"]:
            raise ValueError(f"the pipeline {name} failed on a batch: no {', '.join(missing)}; see the log above")
    return rows
