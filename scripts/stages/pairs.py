"""`hanjul pairs`: product–value pairs from the taxonomy, widened by a teacher if so wished, become config `pairs`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from huggingface_hub import HfUri

from dataset_card.card import merge_configs
from pipelines.execution.running import run as run_pipeline
from pipelines.features import PAIRS, write_rows
from pipelines.planning.coverage import coverage
from pipelines.planning.pairs import build_pairs_pipeline, plan_pairs
from pipelines.planning.taxonomy import CRAFT, load_craft, load_taxonomy, taxonomy_digest
from pipelines.text.counted import counted
from scripts.core.faults import input_errors
from scripts.core.files import digest
from scripts.core.fingerprint import output_settings
from scripts.core.settings import PairsSettings
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.teaching import proposals


def run(
    hub: Hub,
    dataset: HfUri,
    rows: HfUri | None,
    settings: PairsSettings,
    seed: int,
    sealed: str | None = None,
    base: HfUri | None = None,
) -> HfUri:
    """Commit config `pairs` of a dataset repo, and `proposals.jsonl` where a teacher proposed products and values.

    Args:
        rows: pinned dataset whose config `raw` names the products that have lines already; others come first.
        base: pinned model that says how proposed values are related to their products; None leaves that out.

    Raises:
        HanjulError: more pairs asked for than there are; see also `scripts.teaching.proposals.widen`.
    """

    propose = settings.propose
    inputs = {"taxonomy": taxonomy_digest(), "craft": digest(CRAFT)} | ({"rows": rows.to_uri()} if rows else {})
    inputs |= {"base": base.to_uri()} if base and propose else {}
    stage = Stage("pairs", dataset, inputs, output_settings(settings) | {"seed": seed}, sealed)

    def work(folder: Path) -> Outcome:
        written = set(hub.rows(rows, "raw")["product"]) if rows else set()
        widened = proposals.WidenedTaxonomy(load_taxonomy())
        if propose:
            widened = proposals.widen(
                hub, widened.taxonomy, propose, base, seed=seed, run_id=stage.fingerprint(), folder=folder
            )
            widened.write(folder / "out" / proposals.FILE)
        with input_errors("pairs"):
            planned = plan_pairs(
                widened.taxonomy, load_craft(), settings.n, values_max=settings.values_max, seed=seed, written=written
            )
            pairs = run_pipeline(build_pairs_pipeline(planned, cache_dir=folder / "distilabel"))
        write_rows(pairs, folder / "out" / "pairs" / "train.parquet", PAIRS)
        counts = {"out": len(pairs), **asdict(coverage(pairs, widened.taxonomy))}
        counts |= {"proposals": widened.counts()} if propose else {}
        return Outcome(
            f"{counted(counts['out'], 'pair')} of {counted(counts['products'], 'product')}",
            counts,
            widened.usage,
            widened.prompts,
        )

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, "pairs")

    return run_stage(hub, stage, work, card)
