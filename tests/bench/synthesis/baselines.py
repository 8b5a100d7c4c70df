"""What ours is measured against: plain asyncio over httpx, and stock distilabel.

    python -m tests.bench.synthesis.baselines plain --url http://127.0.0.1:8000/v1 --rows 5000 --in-flight 64

Last line on stdout: {"rows", "seconds"}. The clock starts after imports, with the prompts ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from typing import Any

import httpx2
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts, StepResources
from distilabel.steps.tasks import TextGeneration

from pipelines.planning.pairs import plan_pairs
from pipelines.planning.taxonomy import load_craft, load_taxonomy
from pipelines.rows import Message
from tests.bench.synthesis.prompts import prompt_builder
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

#: As in the settings that ours runs with.
VALUES_MAX = 2
SAMPLING = {"temperature": 0.7, "top_p": 0.95}
MAX_TOKENS = 40


def prompts(count: int) -> list[list[Message]]:
    """Instructions with examples, and a pair; all different."""
    template = prompt_builder()
    pairs = plan_pairs(load_taxonomy(), load_craft(), count, values_max=VALUES_MAX, seed=0)
    return [template.prompt(pair)[0] for pair in pairs]


async def plain(url: str, messages: list[list[Message]], in_flight: int) -> int:
    """Ask for all lines behind a semaphore; how many came."""
    slots = asyncio.Semaphore(in_flight)
    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(limits=limits, headers=headers, timeout=60) as client:

        async def ask(prompt: list[Message]) -> str:
            body = {"model": MODEL, "messages": prompt, "max_tokens": MAX_TOKENS, **SAMPLING}
            async with slots:
                answer = await client.post(f"{url}/chat/completions", json=body)
            line: str = answer.raise_for_status().json()["choices"][0]["message"]["content"]
            return line

        return sum(map(bool, await asyncio.gather(*map(ask, messages))))


def stock(url: str, messages: list[list[Message]], in_flight: int, replicas: int) -> int:
    """The pipeline of distilabel's own guide; how many lines came.

    A batch is what is in flight at most, and waits for its slowest request.
    """
    data = [{"system_prompt": system["content"], "instruction": user["content"]} for system, user in messages]
    with tempfile.TemporaryDirectory() as folder, Pipeline("stock", cache_dir=folder) as pipeline:
        llm = OpenAILLM(
            model=MODEL, base_url=url, api_key=KEY, generation_kwargs={**SAMPLING, "max_new_tokens": MAX_TOKENS}
        )
        load = LoadDataFromDicts(data=data, batch_size=in_flight)
        # One replica, about 30 rows/s, is what its users would have. The best found on two cores is 16 of them with
        # batches of 4: 62 rows/s over 2,000 rows, for 15 processes more. 8 by 8 gives 55.
        resources = StepResources(replicas=replicas)
        load >> TextGeneration(llm=llm, input_batch_size=in_flight // replicas, resources=resources)
        rows: list[Any] = pipeline.run(use_cache=False)["default"]["train"]["generation"]
    return sum(map(bool, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=("plain", "stock"))
    parser.add_argument("--url", required=True, help="up to and with /v1")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument(
        "--replicas", type=int, default=1, help="processes of stock's step, which share what is in flight"
    )
    args = parser.parse_args()
    messages = prompts(args.rows)
    started = time.perf_counter()
    if args.client == "plain":
        rows = asyncio.run(plain(args.url, messages, args.in_flight))
    else:
        rows = stock(args.url, messages, args.in_flight, args.replicas)
    print(json.dumps({"rows": rows, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
