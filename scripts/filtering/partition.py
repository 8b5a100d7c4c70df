"""Partition rows into those to release and those to reject: rules, gate, selection, each where it runs best."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from model_card.judging.sense.gate import Gate
from pipelines.execution.check_rules import build_check_pipeline, verdicts_of
from pipelines.features import write_raw
from pipelines.filters.apply_rules import check_row
from pipelines.filters.filter_rows import gate_and_select
from pipelines.filters.gate import is_synthesised, sense
from pipelines.filters.limits import Limits
from pipelines.progress import Progress
from pipelines.rows import row_id
from scripts.core.settings import Recipe
from scripts.filtering import semantic

Rows = Sequence[dict[str, Any]]
Partition = tuple[list[dict[str, Any]], list[dict[str, Any]]]

#: Rows that this process checks in about the time that it takes to start others.
FEW = 10_000
#: Processes at most: each takes half a gigabyte, and handing over is what takes longest from the fourth on.
MOST = 4


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


def partition_passed(rows: Rows, limits: Limits, gate: Gate | None, recipe: Recipe) -> Partition:
    """(kept, rejected) of tidied rows that break no rule.

    Args:
        limits: without what the gate says.
        gate: scores synthesised rows and says which to let in; None lets all in.
    """
    if gate:
        rows = with_sense(rows, gate, {})
        limits = limits.model_copy(update={"gated": True, "min_sense": gate.threshold})
    similar = semantic.similar_pairs(rows, recipe.filter.semantic) if recipe.filter.semantic else ()
    with Progress(f"comparing {len(rows):,} lines"):
        return gate_and_select(rows, limits, similar)


def with_sense(rows: Rows, gate: Gate, known: dict[str, float]) -> list[dict[str, Any]]:
    """The rows, synthesised ones with the score `sense`; what has one already is not scored again.

    Args:
        rows: tidied.
        known: id -> P(usable), 0..1, of rows that were scored before; those that are scored now are added.
    """
    unscored = [row for row in rows if is_synthesised(row) and sense(row) is None]
    new = list({row["id"]: row for row in unscored if row["id"] not in known}.values())
    chances = gate.p_usable(new)  # type: ignore[arg-type]
    known.update(zip((row["id"] for row in new), chances, strict=True))
    return [
        row | {"scores": {"sense": known[row["id"]]}} if is_synthesised(row) and sense(row) is None else row
        for row in rows
    ]
