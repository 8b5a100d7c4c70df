"""Runs a distilabel pipeline so that nothing is swallowed, and gives its rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import rich
from distilabel.pipeline.base import BasePipeline
from distilabel.utils.logging import stop_logging

from pipelines.errors import HanjulError
from pipelines.execution.interrupts import one_interrupt
from pipelines.execution.local_pipeline import StrictPipeline
from pipelines.execution.orphans import no_orphans
from pipelines.execution.ray_pipeline import StrictRayPipeline


def pipeline_of(name: str, cache_dir: Path, engine: str = "local") -> BasePipeline:
    """An empty pipeline that raises what stops it.

    Args:
        cache_dir: where distilabel keeps its files; nothing is written elsewhere.
        engine: `local` (processes on this machine) or `ray` (the cluster that RAY_ADDRESS names, else one on this
            machine).
    """
    if engine == "ray":
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
        HanjulError: what a step raised on purpose, or which process died.
        RuntimeError: a step failed; the message says why, and a note on the cause where.
        KeyboardInterrupt: the user stopped it.
    """
    rich.reconfigure(stderr=True)  # distilabel logs through rich, and stdout is for data
    with _contained(pipeline._cache_dir / "datasets"), no_orphans(), one_interrupt():
        try:
            distiset = pipeline.run(use_cache=False)
        except Exception as error:
            cause = error if isinstance(error, HanjulError) else error.__cause__ or error
            if isinstance(cause, HanjulError):
                raise cause from None  # the traceback in the step's process is a note on it
            what = f"the pipeline {pipeline.name} stopped: {type(cause).__name__}: {cause}"
            raise RuntimeError(f"{what}; the log above names the step") from error
        finally:
            stop_logging()
        return _leaf(pipeline.name, distiset)


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
        raise RuntimeError(f"the pipeline {name} ended without rows; see the log above for the step that failed")
    return distiset["default"]["train"]
