"""`hanjul pairs`: product–value pairs from the taxonomy become config `pairs`."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfUri

from scripts.faults import refused
from scripts.hub import Hub
from scripts.settings import PairsSettings
from scripts.stage import Outcome, Stage, digest, run_stage


def run(
    hub: Hub, dataset: HfUri, rows: HfUri | None, settings: PairsSettings, seed: int, sealed: str | None = None
) -> HfUri:
    """Commit config `pairs` of a dataset repo.

    Args:
        rows: pinned dataset whose config `raw` names the products that have lines already; others come first.
    """
    from dataset_card.card import merge_configs
    from pipelines.features import PAIRS, write_rows
    from pipelines.pairs import build_pairs_pipeline, plan_pairs
    from pipelines.running import run as run_pipeline
    from pipelines.taxonomy import CRAFT, TAXONOMY, load_craft, load_taxonomy

    inputs = {"taxonomy": digest(TAXONOMY), "craft": digest(CRAFT)} | ({"rows": rows.to_uri()} if rows else {})
    stage = Stage("pairs", dataset, inputs, settings.model_dump() | {"seed": seed}, sealed)

    def work(folder: Path) -> Outcome:
        written = set(hub.rows(rows, "raw")["product"]) if rows else set()
        with refused("pairs"):
            planned = plan_pairs(
                load_taxonomy(), load_craft(), settings.n, values_max=settings.values_max, seed=seed, written=written
            )
            pairs = run_pipeline(build_pairs_pipeline(planned, cache_dir=folder / "distilabel"))
        write_rows(pairs, folder / "out" / "pairs" / "train.parquet", PAIRS)
        counts = {"out": len(pairs), "products": len({pair["product"] for pair in pairs})}
        return Outcome("{out} pairs of {products} products".format(**counts), counts)

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, "pairs")

    return run_stage(hub, stage, work, card)
