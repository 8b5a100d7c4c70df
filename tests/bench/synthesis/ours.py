"""Our whole synthesis against an endpoint, in a process of its own: rounds, cache, rules, exactly N rows.

    python -m tests.bench.synthesis.ours --url http://127.0.0.1:8000/v1 --rows 5000 --in-flight 64 --folder /tmp/run

Last line on stdout: {"rows", "distinct", "seconds", "requests", "usage"}. Run again with the same folder, it goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.planning.pairs import plan_pairs
from pipelines.planning.taxonomy import load_craft, load_taxonomy
from scripts.core import endpoints
from scripts.core.settings import Recipe
from scripts.teaching import rounds
from scripts.teaching.teachers import TeacherEndpoint
from tests.bench.synthesis.prompts import prompt_builder
from tests.pipelines.endpoint.teacher_server import KEY, MODEL


def main(args: argparse.Namespace) -> dict[str, Any]:
    os.environ["HANJUL_HOME"] = str(args.folder / "home")
    recipe = recipe_of(args)
    limits = Limits()
    pairs = plan_pairs(load_taxonomy(), load_craft(), args.rows, values_max=2, seed=1)
    endpoint = TeacherEndpoint(args.url, MODEL, KEY, MODEL, "bench", tuned=False)
    started = time.monotonic()
    job = rounds.WritingJob(recipe, endpoint, prompt_builder(), limits, args.folder)
    written = rounds.write_all(job, pairs, [])
    seconds = time.monotonic() - started
    rows = rounds.accepted_rows(job, [], written.lines, {})
    usage = endpoints.usage_of(job.settings, job.run_id, written.input_tokens, written.output_tokens)
    return {
        "rows": len(rows),
        "distinct": len({row["ad_copy"] for row in rows}),
        "seconds": seconds,
        "requests": usage["requests_sent"],
        "usage": usage,
    }


def recipe_of(args: argparse.Namespace) -> Recipe:
    """A recipe that has the endpoint write until so many rows are accepted, without a judge."""
    return Recipe.model_validate(
        {
            "filter": {"judge": "none"},
            "synthesize": {
                "n": args.rows,
                "candidates": 1,
                "attempts": 10,
                "concurrency": args.in_flight,
                "teacher": {"base_url": args.url, "model": MODEL},
                "budget": {"timeout": args.timeout, "max_requests": args.max_requests},
            },
        }
    )


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--max-requests", type=int, default=None)
    return parser


if __name__ == "__main__":
    print(json.dumps(main(parser().parse_args())))
