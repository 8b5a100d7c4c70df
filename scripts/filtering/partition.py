"""Partition rows into those to release and those to reject: rules, scores, selection, each where it runs best."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from pipelines.execution.check_rules import build_check_pipeline, verdicts_of
from pipelines.features import write_raw
from pipelines.filters.apply_rules import check_row
from pipelines.filters.filter_rows import judge_and_select
from pipelines.filters.limits import Limits
from pipelines.filters.thresholds import trusted
from pipelines.progress import Progress
from pipelines.rows import row_id
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.filtering import semantic
from scripts.judging.likelihood_judge import add_scores

Rows = Sequence[dict[str, Any]]
Partition = tuple[list[dict[str, Any]], list[dict[str, Any]]]

#: Rows that this process checks in about the time that it takes to start others.
FEW = 10_000
#: Processes at most: each takes half a gigabyte, and handing over is what takes longest from the fourth on.
MOST = 4


def partition(rows: Rows, limits: Limits, base: HfUri | None, recipe: Recipe, folder: Path) -> Partition:
    """(kept, rejected): rules first, so that only what passes them is scored; then thresholds and selection.

    Args:
        rows: raw rows.
        base: pinned model whose likelihoods are the scores; None where the recipe's judge is none.
        folder: for files that are needed meanwhile.

    Raises:
        RuntimeError: a step of the pipeline failed.
    """
    passed, by_rules = partition_by_rules(rows, limits, folder, recipe.filter.engine)
    log(f"filter: {len(by_rules):,} of {len(rows):,} rows rejected by rules")
    kept, rejected = partition_passed(passed, limits, base, recipe)
    return kept, [*by_rules, *rejected]


def partition_by_rules(rows: Rows, limits: Limits, folder: Path, engine: str = "local") -> Partition:
    """(rows that break no rule, rejected rows), both tidied and in the order of `rows`."""

    found: Iterable[tuple[str, str, str]]
    if len(rows) < FEW and engine == "local":
        with Progress("checking rules", len(rows), unit="rows") as progress:
            found = []
            for row in rows:
                found.append(check_row(row, limits))
                progress.advance()
    else:
        path = folder / "raw.parquet"
        write_raw(rows, path)
        replicas = min(_cores(), MOST)
        pipeline = build_check_pipeline(path, limits, cache_dir=folder / "distilabel", replicas=replicas, engine=engine)
        found = verdicts_of(pipeline, len(rows))
    passed, rejected = [], []
    for row, (line, reason, evidence) in zip(rows, found, strict=True):
        # Also for rows of another's raw: its ids may be anything.
        tidied = row | {"ad_copy": line, "id": row_id(row["product"], row["values"] or [], line)}
        if reason:
            rejected.append(tidied | {"reason": reason, "evidence": evidence, "group_id": ""})
        else:
            passed.append(tidied)
    return passed, rejected


def _cores() -> int:
    """Cores that this process may use; not every system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def partition_passed(rows: Rows, limits: Limits, base: HfUri | None, recipe: Recipe) -> Partition:
    """(kept, rejected) of tidied rows that break no rule."""

    doubtful = [row for row in rows if not trusted(row, limits)]
    if limits.scored and doubtful:
        assert base, "scores come from a base model"
        people = [row for row in rows if row["source"] != "synthesised"]
        scored = iter(add_scores(doubtful, people, base, recipe))  # no decision depends on the score of another
        rows = [row if trusted(row, limits) else next(scored) for row in rows]
    similar = semantic.similar_pairs(rows, recipe.filter.semantic) if recipe.filter.semantic else ()
    with Progress(f"comparing {len(rows):,} lines"):
        return judge_and_select(rows, limits, similar)
