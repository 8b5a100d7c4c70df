"""Our filters over a file of config `raw`, in a process of its own.

    python -m tests.bench.dataset.ours whole --file raw.parquet --folder /tmp/run
    python -m tests.bench.dataset.ours selection --file raw.parquet --rows 20000
    python -m tests.bench.dataset.ours rules --file raw.parquet --rows 5000

Last line on stdout: what the function of that name says that it gives.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datasets import Dataset

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.filters.selection import select
from pipelines.text.jaccard_join import similar_pairs
from scripts.core.settings import Recipe
from scripts.filtering import partition
from scripts.filtering.references import References
from scripts.stages import filter
from tests.bench.dataset.baselines import THRESHOLD
from tests.limits import limits


def whole(args: argparse.Namespace) -> dict[str, Any]:
    """All that `hanjul filter --set filter.judge=none` does but for the Hub and the card: read, partition, write.

    Gives "seconds", of them "parts" (read, rules, selection, write), "accepted", "rejected" by reason, and "ids", a
    digest of the accepted ids in their order.
    """
    recipe, measured = _recipe_and_limits(args.engine)
    parts: dict[str, float] = {}
    partition.partition_by_rules = _timed(partition.partition_by_rules, "rules", parts)
    partition.partition_passed = _timed(partition.partition_passed, "selection", parts)
    started = time.perf_counter()
    rows = _timed(_read, "read", parts)(args.file, args.folder / "cache")
    kept, rejected = partition.part(rows, measured, None, recipe, args.folder)
    _timed(filter._write, "write", parts)(kept, rejected, recipe.filter.min_margin, args.folder / "out")
    seconds = time.perf_counter() - started
    ids = hashlib.sha256(" ".join(row["id"] for row in kept).encode()).hexdigest()
    reasons = Counter(row["reason"] for row in rejected)
    return {"seconds": seconds, "parts": parts, "accepted": len(kept), "rejected": reasons, "ids": ids}


def selection(args: argparse.Namespace) -> dict[str, Any]:
    """Near-duplicates of raw rows that no rule has thinned, at 0.8 as other tools look for them.

    Gives "seconds", "near": places of the rows that are alike to an earlier one which is not so itself, and
    "selection_seconds", of all that the selection looks for.
    """
    rows = pq.read_table(args.file)[: args.rows].to_pylist()
    lines = [row["ad_copy"] for row in rows]
    started = time.perf_counter()
    left, right, _ = similar_pairs(lines, THRESHOLD)
    near: set[int] = set()
    for one, other in sorted(zip(right.tolist(), left.tolist(), strict=True)):
        if other not in near:
            near.add(one)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    select(rows, limits(scored=False, max_phrase_share=1.0, max_similarity=THRESHOLD))
    return {"seconds": seconds, "near": sorted(near), "selection_seconds": time.perf_counter() - started}


def rules(args: argparse.Namespace) -> dict[str, Any]:
    """The rules alone, in this process, over the second half of the rows: the first has their caches filled.

    Gives "seconds" a row.
    """
    rows = pq.read_table(args.file)[: args.rows].to_pylist()
    _, measured = _recipe_and_limits("local")
    half = len(rows) // 2
    for row in rows[:half]:
        first_rule(row, measured)
    started = time.perf_counter()
    for row in rows[half:]:
        first_rule(row, measured)
    return {"seconds": (time.perf_counter() - started) / (len(rows) - half)}


def _recipe_and_limits(engine: str) -> tuple[Recipe, Limits]:
    recipe = Recipe.model_validate({"filter": {"judge": "none", "engine": engine}})
    return recipe, References(None, None, {}).limits(None, recipe.filter)


def _read(file: Path, cache: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = Dataset.from_parquet(str(file), cache_dir=str(cache)).to_list()
    return rows


def _timed(function: Callable[..., Any], name: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args)
        finally:
            seconds[name] = time.perf_counter() - started

    return timed


WORK: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "whole": whole,
    "selection": selection,
    "rules": rules,
}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=WORK)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=None, help="of `selection` and `rules`")
    parser.add_argument("--folder", type=Path, default=None, help="of `whole`")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    return parser


if __name__ == "__main__":
    args = parser().parse_args()
    print(json.dumps(WORK[args.work](args)))
