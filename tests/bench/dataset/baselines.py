"""Near-duplicates as other tools find them: distilabel's `MinHashDedup`, and datasketch alone.

    python -m tests.bench.dataset.baselines distilabel --packages FOLDER --file raw.parquet --rows 20000

Last line on stdout: {"seconds", "flagged"}, of the work alone and the places of the rows that it calls duplicates.

Both are given the letters of each line, so that their 3-grams are ours, and neither pays for taking them. Both get all
rows in one batch and hash them with `MinHash.bulk`, which draws the permutations once: a `MinHash` a line, as in
datasketch's first example, takes five times as long, and batches of 50, distilabel's default, a quarter longer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import platformdirs
import pyarrow.parquet as pq

from pipelines.text.ngrams import letters

#: The last that distilabel 1.5.3 runs on: from 1.8 on, an LSH made by its `MinHashDedup` fails at the first insert.
DATASKETCH = "1.7.0"
THRESHOLD, PERMUTATIONS = 0.8, 128


def packages() -> Path:
    """The folder with datasketch, apart from what Hanjul needs; installed when it is asked for first."""
    folder = platformdirs.user_cache_path("hanjul") / "bench" / f"datasketch-{DATASKETCH}"
    if not (folder / "datasketch").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--target", str(folder), f"datasketch=={DATASKETCH}"], check=True, stdout=sys.stderr)
    return folder


def distilabel(texts: Sequence[str]) -> tuple[float, list[int]]:
    """Seconds and flagged places of the step `MinHashDedup`, in this process and without a pipeline around it."""
    from distilabel.steps import MinHashDedup

    step = MinHashDedup(name="dedup", tokenizer="ngrams", n=3, threshold=THRESHOLD, num_perm=PERMUTATIONS)
    step.load()
    inputs = [{"text": text} for text in texts]
    started = time.perf_counter()
    rows = next(step.process(inputs))
    seconds = time.perf_counter() - started
    return seconds, [place for place, row in enumerate(rows) if not row["keep_row_after_minhash_filtering"]]


def datasketch(texts: Sequence[str]) -> tuple[float, list[int]]:
    """Seconds and flagged places of `MinHash` and `MinHashLSH`: ask for each line, insert it where nothing is found."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]  # in a folder of its own

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    flagged = []
    started = time.perf_counter()
    grams = [{text[start : start + 3].encode() for start in range(len(text) - 2)} for text in texts]
    for place, hashed in enumerate(MinHash.bulk(grams, num_perm=PERMUTATIONS)):
        if index.query(hashed):
            flagged.append(place)
        else:
            index.insert(place, hashed)
    return time.perf_counter() - started, flagged


TOOLS: dict[str, Callable[[Sequence[str]], tuple[float, list[int]]]] = {
    "distilabel": distilabel,
    "datasketch": datasketch,
}


def main(args: argparse.Namespace) -> dict[str, Any]:
    sys.path.insert(0, str(args.packages))
    lines = pq.read_table(args.file, columns=["ad_copy"])["ad_copy"][: args.rows].to_pylist()
    seconds, flagged = TOOLS[args.tool]([letters(line) for line in lines])
    return {"seconds": seconds, "flagged": flagged}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    return parser


if __name__ == "__main__":
    print(json.dumps(main(parser().parse_args())))
