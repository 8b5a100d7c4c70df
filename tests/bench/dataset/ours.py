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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datasets import Dataset

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.filters.selection import select
from pipelines.text.jaccard_join import similar_pairs
from scripts.core.settings import Recipe
from scripts.filtering.partition import partition_by_rules, partition_passed
from scripts.stages.filter import write_configs
from tests.bench.dataset.baselines import THRESHOLD


def whole(args: argparse.Namespace) -> dict[str, Any]:
    """All that `hanjul filter --set filter.judge=none` does but for the Hub and the card: read, partition, write.

    Gives "seconds", of them "parts" (read, rules, selection, write), "accepted", "rejected" by reason, and "ids", a
    digest of the accepted ids in their order.
    """
    recipe, limits = Recipe.model_validate({"filter": {"judge": "none"}}), Limits()
    parts: dict[str, float] = {}
    with _timed("read", parts):
        rows: list[dict[str, Any]] = Dataset.from_parquet(
            str(args.file), cache_dir=str(args.folder / "cache")
        ).to_list()
    with _timed("rules", parts):
        passed, by_rules = partition_by_rules(rows, limits, args.folder, args.engine)
    with _timed("selection", parts):
        kept, others = partition_passed(passed, limits, None, recipe)
    rejected = [*by_rules, *others]
    with _timed("write", parts):
        write_configs(kept, rejected, recipe.filter.min_margin, args.folder / "out")
    ids = hashlib.sha256(" ".join(row["id"] for row in kept).encode()).hexdigest()
    reasons = Counter(row["reason"] for row in rejected)
    seconds = sum(parts.values())
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
    select(rows, Limits(max_phrase_share=1.0, max_similarity=THRESHOLD))
    return {"seconds": seconds, "near": sorted(near), "selection_seconds": time.perf_counter() - started}


def rules(args: argparse.Namespace) -> dict[str, Any]:
    """The rules alone, in this process, over the second half of the rows: the first has their caches filled.

    Gives "seconds" a row.
    """
    rows = pq.read_table(args.file)[: args.rows].to_pylist()
    limits = Limits()
    half = len(rows) // 2
    for row in rows[:half]:
        first_rule(row, limits)
    started = time.perf_counter()
    for row in rows[half:]:
        first_rule(row, limits)
    return {"seconds": (time.perf_counter() - started) / (len(rows) - half)}


@contextmanager
def _timed(part: str, seconds: dict[str, float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - started


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
