"""Tokens a second and time to the first line of one line and of eight: a plain pipeline, and the Space's engine.

    python -m tests.bench.space.speed pipeline /tmp/merged --rounds 3
    python -m tests.bench.space.speed engine '{"repo": …}' --tokenizer /tmp/merged --rounds 3

Last line of stdout: {"1": {"tokens_s", "first_s"}, "8": {…}}, the best of the rounds; one before them is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.rows import user_message
from tests.bench.processes import ROOT

CHATS = [
    [user_message(product, ["여유"])] for product in ("제습기", "러닝화", "독립 서점", "반려견 보험", "향초", "우산")
]
TEMPERATURE = 0.8

Write = Callable[[Any, int], Iterator[str]]


def pipeline_writer(folder: str) -> Write:
    """What a user writes who follows transformers' own example: float32, sampling, the lines of a call together."""
    import torch
    from transformers import pipeline

    generator: Any = pipeline("text-generation", folder, dtype=torch.float32, device="cpu")

    def write(chat: Any, count: int) -> Iterator[str]:
        options = {"do_sample": True, "temperature": TEMPERATURE, "top_p": 0.95, "max_new_tokens": 48}
        answers = generator(chat, num_return_sequences=count, return_full_text=False, **options)
        yield from (answer["generated_text"].strip().split("\n")[0] for answer in answers)

    return write


def engine_writer(gguf: str) -> Write:
    """The Space's engine over a GGUF on the Hub."""
    sys.path.insert(0, str(ROOT / "space"))
    from engines.llama import Llama  # type: ignore[import-not-found]

    engine = Llama(**json.loads(gguf))
    engine.load()
    return lambda chat, count: engine.lines(chat, count, TEMPERATURE, 1)


def measure(write: Write, count: int, tokens_of: Callable[[str], int], rounds: int) -> dict[str, float]:
    """The best of the rounds; only tokens of lines that are shown count, with the one that ends each."""
    speeds, firsts = [], []
    for number in range(rounds + 1):
        started, first, tokens = time.perf_counter(), 0.0, 0
        for line in write(CHATS[number % len(CHATS)], count):
            first = first or time.perf_counter() - started
            tokens += tokens_of(line) + 1 if line else 0
        speeds.append(tokens / (time.perf_counter() - started))
        firsts.append(first)
    return {"tokens_s": round(max(speeds[1:]), 2), "first_s": round(min(firsts[1:]), 3)}


def main() -> None:
    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("pipeline", "engine"))
    parser.add_argument("weights", help="folder of the merged model, or what settings.json says of its GGUF")
    parser.add_argument("--tokenizer", help="folder, of `engine`")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.tokenizer or args.weights)
    write = (pipeline_writer if args.kind == "pipeline" else engine_writer)(args.weights)

    def tokens_of(line: str) -> int:
        return len(tokenizer(line, add_special_tokens=False).input_ids)

    print(json.dumps({count: measure(write, count, tokens_of, args.rounds) for count in (1, 8)}))


if __name__ == "__main__":
    main()
