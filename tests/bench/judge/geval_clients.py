"""Who asks the loopback judge: plain asyncio over httpx, ours, and deepeval's own `evaluate`.

    python -m tests.bench.judge.geval_clients ours --url http://127.0.0.1:8000/v1 --rows 300 --in-flight 50

Last line on stdout: {"requests", "seconds", "mean", "cpu"}. The clock starts after imports, with the rows ready.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx2
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import GEval
from deepeval.models import OpenRouterModel

from model_card.judging.deepeval_metrics import as_test_case
from model_card.judging.geval import GEVAL_METRICS
from model_card.judging.geval_answers import SCORE, chosen
from model_card.judging.geval_judge import score_rows
from model_card.judging.geval_model import ALTERNATIVES, EndpointModel
from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.session import Session
from pipelines.rows import Scorable
from tests.bench.endpoint.answers import digest, write_line
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

KINDS = tuple(GEVAL_METRICS.values())
MAX_TOKENS = 400


def rows_of(count: int) -> list[Scorable]:
    """Lines of plain Korean words, all different."""
    return [
        {"product": "우산", "values": ["든든한"], "ad_copy": f"{write_line(digest(str(n).encode()), 1.0)} {n}"}
        for n in range(count)
    ]


def plain(url: str, rows: list[Scorable], in_flight: int) -> list[float]:
    """Ask behind a semaphore, and take the whole score: the least that a judge can do."""
    return asyncio.run(_plain(url, rows, in_flight))


async def _plain(url: str, rows: list[Scorable], in_flight: int) -> list[float]:
    slots = asyncio.Semaphore(in_flight)
    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    headers = {"Authorization": f"Bearer {KEY}"}
    metrics = [kind(_model(url)) for kind in KINDS]
    async with httpx2.AsyncClient(limits=limits, headers=headers, timeout=60) as client:

        async def ask(prompt: str) -> float:
            body = {
                "model": MODEL,
                "messages": [{"role": "user", "content": prompt}],
                "temperature": 0.0,
                "seed": 1,
                "max_tokens": MAX_TOKENS,
                "logprobs": True,
                "top_logprobs": ALTERNATIVES,
            }
            async with slots:
                answer = await client.post(f"{url}/chat/completions", json=body)
            completion: Any = answer.raise_for_status().json()
            return chosen(completion["choices"][0]["message"]["content"], SCORE)[0] / 5

        return await asyncio.gather(*(ask(metric.prompt(row)) for row in rows for metric in metrics))


def ours(url: str, rows: list[Scorable], in_flight: int) -> list[float]:
    """With a fresh file of answers, and the request that decides how scores come about."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "answers.sqlite"
        options = EndpointOptions(url, MODEL, "bench", store=store, run_id="bench", concurrency=in_flight, timeout=120)
        with Session(options, KEY) as session:
            scored = score_rows(EndpointModel(session, max_new_tokens=MAX_TOKENS), rows)
    return [score for raw in scored if raw for score in raw.scores.values()]


def stock(url: str, rows: list[Scorable], in_flight: int) -> list[float]:
    """deepeval's `evaluate` over its own GEval, with our steps and rubrics, on its own model class."""
    model = _model(url)
    metrics = []
    for kind in KINDS:
        own = kind(model)
        metrics.append(
            GEval(
                name=own.name,
                evaluation_params=own.evaluation_params,
                evaluation_steps=own.evaluation_steps,
                rubric=own.rubric,
                model=model,
            )
        )
    cases = [as_test_case(row["product"], row["values"], row["ad_copy"]) for row in rows]
    with contextlib.redirect_stdout(io.StringIO()):
        result = evaluate(
            cases,
            metrics,
            async_config=AsyncConfig(max_concurrent=in_flight, throttle_value=0),
            display_config=DisplayConfig(show_indicator=False, print_results=False, inspect_after_run=False),
            cache_config=CacheConfig(write_cache=False),
        )
    return [float(metric.score or 0) for tested in result.test_results for metric in tested.metrics_data or []]


def _model(url: str) -> OpenRouterModel:
    """deepeval's `DeepEvalOpenAICompatibleModel`, in the shape of the gateway that needs nothing but an address."""
    return OpenRouterModel(model=MODEL, api_key=KEY, base_url=url, generation_kwargs={"max_tokens": MAX_TOKENS})


CLIENTS: dict[str, Callable[[str, list[Scorable], int], list[float]]] = {"plain": plain, "ours": ours, "stock": stock}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--url", required=True, help="up to and with /v1")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=50)
    args = parser.parse_args()
    rows = rows_of(args.rows)
    started, cpu = time.perf_counter(), time.process_time()
    scores = CLIENTS[args.client](args.url, rows, args.in_flight)
    seconds = time.perf_counter() - started
    figures = {"requests": len(scores), "seconds": seconds, "mean": fmean(scores), "cpu": time.process_time() - cpu}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
