"""All that needs a Hub: the weights, how fast they write, the served page.

python -m tests.bench.with_local_hub tests.bench.space.served
"""

from __future__ import annotations

import json
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.core.settings import Recipe
from scripts.demo import render
from scripts.demo.facts import facts_of
from scripts.demo.hardware import place_of
from scripts.hub.connect import connect
from scripts.hub.hub import Hub
from tests.bench.memory import memory_measure, tree_memory
from tests.bench.processes import run
from tests.bench.report import finish, parser_of, say
from tests.bench.space import weights
from tests.bench.space.client import Visit, press
from tests.bench.space.page import interactive_seconds, served, wait_until_ready

VISITORS = 8
PRODUCTS = ("제습기", "러닝화", "독립 서점", "반려견 보험", "향초", "우산", "새벽 배송 반찬", "다이어리")


@dataclass(frozen=True)
class Size:
    """Rounds of the speed, presses of one visitor and waves of eight, generations while memory is watched."""

    rounds: int
    presses: int
    generations: int


FULL, SMOKE = Size(rounds=5, presses=8, generations=500), Size(rounds=1, presses=4, generations=9)


def rendered(hub: Hub, made: weights.Weights, folder: Path) -> Path:
    """The folder that a Space repo would hold, with the GGUF of the bench."""
    folder.mkdir()
    facts = facts_of(hub, made.adapter, None, Recipe().title)
    facts = replace(facts, settings=facts.settings | {"gguf": made.gguf})
    render.render(hub, facts, place_of("cpu"), hub.repo("space", "bench"), folder)
    return folder


def visits(address: str, presses: int, at_once: int) -> list[Visit]:
    """As many presses a visitor, of so many visitors at once."""
    with ThreadPoolExecutor(at_once) as pool:
        waves = [list(pool.map(lambda product: press(address, product), PRODUCTS[:at_once])) for _ in range(presses)]
    return [visit for wave in waves for visit in wave]


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds * 2, n=20, method="inclusive")[-1]  # twice: it wants two numbers at least


def speeds(made: weights.Weights, rounds: int) -> dict[str, float]:
    """Tokens a second and seconds to the first line of the plain pipeline and of the engine, in turn."""
    module = "tests.bench.space.speed"
    plain = run(f"{module} pipeline {made.merged}", rounds=rounds)
    gguf = json.dumps(made.gguf, separators=(",", ":"))
    ours = run(f"{module} engine {gguf}", tokenizer=made.merged, rounds=rounds)
    say(f"pipeline {plain}, ours {ours}")
    figures = {
        f"{who}_{key}_{count}": kind[count][key]
        for who, kind in (("pipeline", plain), ("ours", ours))
        for count in ("1", "8")
        for key in ("tokens_s", "first_s")
    }
    ratios = {
        f"{name}_ratio": ours[count]["tokens_s"] / plain[count]["tokens_s"]
        for name, count in (("single", "1"), ("eight", "8"))
    }
    return figures | ratios


def crowd(folder: Path, size: Size) -> dict[str, float]:
    """One visitor, eight at once, and the memory over many generations."""
    with served(folder) as (process, address):
        wait_until_ready(address, process)
        visits(address, 1, 1)  # the first one warms it up
        alone, eight = visits(address, size.presses, 1), visits(address, size.presses, VISITORS)
        measure, memory = memory_measure(), []
        for number in range(size.generations):
            press(address, PRODUCTS[number % len(PRODUCTS)])
            memory.append(tree_memory(process.pid, measure))
    third = len(memory) // 3
    growth = statistics.median(memory[-third:]) - statistics.median(memory[:third])
    first_alone, first_eight = (p95([visit.first_s for visit in some if visit.first_s]) for some in (alone, eight))
    return {
        "eight_errors": sum(bool(visit.problem) for visit in eight),
        "first_line_s": first_alone,
        "p95_first_line_s": first_eight,
        "p95_first_line_ratio": first_eight / first_alone,
        "rss_mb": max(memory) / 1e6,
        "rss_growth_mb": growth / 1e6,
    }


def main() -> None:
    args = parser_of(__doc__).parse_args()
    size, hub = SMOKE if args.smoke else FULL, connect()
    with tempfile.TemporaryDirectory() as name:
        made = weights.make(hub, Path(name), args.smoke)
        figures: dict[str, Any] = speeds(made, size.rounds)
        folder = rendered(hub, made, Path(name) / "space")
        figures |= crowd(folder, size)
        figures["start_to_interactive_seconds"], figures["interactive_seconds"] = interactive_seconds(folder)
    finish({key: round(value, 3) for key, value in figures.items()})


if __name__ == "__main__":
    main()
