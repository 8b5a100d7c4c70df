"""`hanjul evaluate`: an adapter beside its base on held-out pairs, judged; the report goes onto its card."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri
from tqdm import tqdm

from pipelines.rows import Message, Row, split_of, user_message
from scripts import log
from scripts.faults import refused
from scripts.hub import Hub
from scripts.settings import EvaluateSettings
from scripts.stage import Outcome, Stage, run_stage

if TYPE_CHECKING:
    from model_card.facts import Report

#: Lines shown to the base model, which has not learnt the task.
SHOTS = 4
SPLIT = "test"

Pair = tuple[str, tuple[str, ...]]


def run(
    hub: Hub, adapter: HfUri, dataset: HfUri, settings: EvaluateSettings, seed: int, sealed: str | None = None
) -> HfUri:
    """Commit `evaluation/` and the card's section to the adapter's repo.

    Args:
        adapter: pinned adapter.
        dataset: pinned dataset; pairs come from its test split, whose products were never trained on.

    Raises:
        HanjulError: too few held-out pairs or rows.
    """
    from scripts import models

    repo = HfUri(type="model", id=adapter.id)
    base, start = models.base_of(hub, adapter), models.start_of(hub, adapter)
    inputs = {"adapter": adapter.to_uri(), "dataset": dataset.to_uri(), "base": base.to_uri()}
    inputs |= {"start": start.to_uri()} if start else {}
    stage = Stage("evaluate", repo, inputs, settings.model_dump() | {"seed": seed}, sealed)

    def work(folder: Path) -> Outcome:
        from model_card import report as files

        report = judged(hub, adapter, start, dataset, base, settings, seed)
        for path, content in files.files(report).items():
            target = folder / "out" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        means = {
            system.name: {metric: round(interval.value, 4) for metric, interval in system.means.items()}
            for system in report.systems
        }
        pv = " -> ".join(f"{scores['pv']:.2f}" for scores in means.values())
        return Outcome(f"PV {pv} on {report.pairs} pairs", {"pairs": report.pairs, "means": means})

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        from model_card.card import replace_evaluation
        from model_card.facts import Report
        from model_card.report import DATA

        report = Report.from_json((folder / "out" / DATA).read_bytes())
        return replace_evaluation(hub.text(parent or adapter, "README.md"), report, adapter.id)

    return run_stage(hub, stage, work, card)


def judged(
    hub: Hub,
    adapter: HfUri,
    start: HfUri | None,
    dataset: HfUri,
    base: HfUri,
    settings: EvaluateSettings,
    seed: int,
) -> Report:
    """Generate with base and adapters on the same pairs and score every line with the deepeval metrics.

    Args:
        start: the SFT adapter that a preference-tuned one started from, shown beside it.
    """
    from model_card.evaluation import Candidate, EvalSplit, evaluate_systems
    from pipelines.rows import CHAT_TEMPLATE
    from scripts import judge, models

    rows = list(hub.rows(dataset, "default"))
    with refused(dataset.to_uri()):
        pairs = choose_pairs(rows, settings.pairs, seed)
    shots = random.Random(seed).sample([row for row in rows if split_of(row["product"]) == "train"], SHOTS)
    scorer = models.scorer_of(hub, adapter, base)
    model, tokenizer = models.load_base(scorer)
    measure = judge.of_rows(
        model,
        tokenizer,
        scorer,
        rows,
        calibration_rows=settings.calibration_rows,
        bootstrap=settings.bootstrap,
        seed=seed,
    )
    tokenizer.chat_template = tokenizer.chat_template or CHAT_TEMPLATE

    def candidate(name: str, uri: HfUri, loaded: tuple[Any, Any], examples: Sequence[Row]) -> Candidate:
        return Candidate(name, uri.id, str(uri.revision), _answers(loaded, pairs, examples, settings, seed, name))

    candidates = []
    if scorer == base:  # an encoder-decoder cannot be shown examples
        candidates.append(candidate(f"base, {SHOTS} examples", base, (model, tokenizer), shots))
    if start:
        candidates.append(candidate("SFT adapter", start, models.load_adapter(start, base), []))
    candidates.append(candidate("DPO adapter" if start else "adapter", adapter, models.load_adapter(adapter, base), []))
    split = EvalSplit(dataset.id, str(dataset.revision), SPLIT)
    return evaluate_systems(measure, candidates, split, bootstrap=settings.bootstrap, seed=seed)


def choose_pairs(rows: Sequence[Mapping[str, Any]], n: int, seed: int) -> list[Pair]:
    """Pairs of the test split by seed, first one of each product.

    Raises:
        ValueError: the split has fewer than `n`.
    """
    pairs = sorted({(row["product"], tuple(row["values"])) for row in rows if split_of(row["product"]) == SPLIT})
    if len(pairs) < n:
        raise ValueError(f"{n} pairs asked for, the test split has {len(pairs)}; lower `evaluate.pairs` or add rows")
    random.Random(seed).shuffle(pairs)
    seen: set[str] = set()
    repeats = [pair[0] in seen or seen.add(pair[0]) for pair in pairs]  # type: ignore[func-returns-value]
    return [pair for _, pair in sorted(zip(repeats, pairs, strict=True), key=lambda found: bool(found[0]))][:n]


def few_shot(shots: Sequence[Row], product: str, values: Sequence[str]) -> list[Message]:
    """The examples as turns already taken, then the question."""
    turns: list[Message] = []
    for row in shots:
        turns += [user_message(row["product"], row["values"]), {"role": "assistant", "content": row["ad_copy"]}]
    return [*turns, user_message(product, values)]


def _answers(
    loaded: tuple[Any, Any],
    pairs: Sequence[Pair],
    shots: Sequence[Row],
    settings: EvaluateSettings,
    seed: int,
    name: str,
) -> tuple[Any, ...]:
    from model_card.evaluation import Answer
    from pipelines.generation import generate_lines

    asked = [pair for pair in pairs for _ in range(settings.candidates)]
    chats = [few_shot(shots, product, values) for product, values in asked]
    with tqdm(total=len(chats), desc=f"evaluate: {name}", unit="line", disable=log.QUIET) as bar:
        lines = generate_lines(
            *loaded,
            chats,
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_new_tokens=settings.max_new_tokens,
            seed=seed,
            progress=lambda done: bar.update(done - bar.n),
        )
    return tuple(Answer(product, values, line) for (product, values), line in zip(asked, lines, strict=True))
