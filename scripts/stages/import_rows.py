"""`hanjul import`: rows of a file or a Hub dataset become config `raw`."""

from __future__ import annotations

import random
from pathlib import Path

from huggingface_hub import HfUri

from dataset_card.card import merge_configs
from pipelines.features import RAW_FILES, write_raw
from scripts.core.fingerprint import output_settings
from scripts.core.settings import ImportSettings
from scripts.hub import inputs
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.hub.tables import STARTER, identify, read, to_rows


def run(hub: Hub, dataset: HfUri, settings: ImportSettings, seed: int, sealed: str | None = None) -> HfUri:
    """Commit `settings.source` as config `raw` of a dataset repo.

    Returns:
        The dataset repo, pinned at the commit.

    Raises:
        HanjulError: no such source, an unreadable or empty file, a missing column.
    """

    source, identity = identify(hub, settings.source)
    if isinstance(source, HfUri) and source.id == dataset.id:  # whose head the import itself moves
        source = inputs.pinned(hub, settings.source, ("default",))
        identity = source.to_uri()
    options = output_settings(settings) | {"seed": seed}
    stage = Stage("import", dataset, {"source": identity}, options, sealed)

    def work(folder: Path) -> Outcome:
        records = list(read(hub, source))
        chosen = records
        if settings.limit and settings.limit < len(records):
            chosen = random.Random(seed).sample(records, settings.limit)
        kind = "written" if settings.source == STARTER else "imported"
        rows = to_rows(chosen, kind, settings.source)
        write_raw(rows, folder / "out" / RAW_FILES[kind])
        taken = (
            f"{len(rows)} of {len(records)} rows (import.limit)" if len(rows) < len(records) else f"{len(rows)} rows"
        )
        return Outcome(taken, {"in": len(records), "out": len(rows)})

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, "raw")

    return run_stage(hub, stage, work, card)
