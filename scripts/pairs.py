"""`hanjul pairs`: product–value pairs from the taxonomy become config `pairs`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from huggingface_hub import HfUri

from scripts.hub import Hub, Outcome, Stage, run_stage
from scripts.settings import PairsSettings

TAXONOMY = Path(__file__).parent.parent / "pipelines" / "taxonomy.yaml"


def run(
    hub: Hub, dataset: HfUri, rows: HfUri | None, settings: PairsSettings, seed: int, sealed: str | None = None
) -> HfUri:
    """Commit config `pairs` of a dataset repo.

    Args:
        rows: pinned dataset whose config `raw` names the products that have lines already; others come first.
    """
    from dataset_card.card import merge_configs
    from pipelines.features import PAIRS_FILE, write_pairs
    from pipelines.pairs import build_pairs_pipeline

    digest = hashlib.sha256(TAXONOMY.read_bytes()).hexdigest()
    inputs = {"taxonomy": f"sha256:{digest}"} | ({"rows": rows.to_uri()} if rows else {})
    stage = Stage("pairs", dataset, inputs, settings.model_dump() | {"seed": seed}, sealed)

    def work(folder: Path) -> Outcome:
        written = set(hub.rows(rows, "raw")["product"]) if rows else set()
        pipeline = build_pairs_pipeline(
            n=settings.n,
            values_max=settings.values_max,
            seed=seed,
            exclude=sorted(written),
            cache=folder / "distilabel",
        )
        pairs = list(pipeline.run(use_cache=False)["default"]["train"])
        write_pairs(pairs, folder / "out" / PAIRS_FILE)
        products = len({pair["product"] for pair in pairs})
        return Outcome(f"{len(pairs)} pairs of {products} products", {"out": len(pairs), "products": products})

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, "pairs")

    return run_stage(hub, stage, work, card)
