"""`hanjul import`: rows of a file or a Hub dataset become config `raw`, votes of visitors preferences."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from huggingface_hub import HfUri

from dataset_card.card import merge_configs
from pipelines.errors import HanjulError
from pipelines.features import RAW_FILES, write_raw
from pipelines.text.counted import counted
from scripts.core.fingerprint import output_settings
from scripts.core.settings import ImportSettings
from scripts.hub import inputs
from scripts.hub.hub import Hub
from scripts.hub.names import without_query
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.stages import import_feedback
from scripts.tables.feedback import has_votes, is_feedback
from scripts.tables.hub_tables import HubSource
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import STARTER, VERSION, identify, read
from scripts.tables.table import COLUMNS


def run(hub: Hub, dataset: HfUri, settings: ImportSettings, seed: int, sealed: str | None = None) -> HfUri:
    """Commit `settings.source` as config `raw` of a dataset repo; of votes of visitors, all of them, what follows.

    Returns:
        The dataset repo, pinned at the commit.

    Raises:
        HanjulError: no such source, an unreadable or empty file, a missing column.
    """

    source, identity = identify(hub, settings.source)
    if is_feedback(hub, source):
        return import_feedback.run(hub, dataset, source, identity, sealed=sealed)
    if isinstance(source, HubSource) and source.uri.id == dataset.id and not source.uri.path_in_repo:
        whole, _ = without_query(settings.source)  # whose head the import itself moves
        source = replace(source, uri=inputs.pinned(hub, whole, (source.config or "default",)))
        identity = str(source)
    kind = "written" if settings.source == STARTER else "imported"
    options = output_settings(settings) | {"seed": seed}
    if kind == "imported":
        options["reading of tables"] = VERSION
    stage = Stage("import", dataset, {"source": identity}, options, sealed)

    def work(folder: Path) -> Outcome:
        records = read(hub, source, COLUMNS, OPTIONAL)
        if has_votes(records[0].table.header):
            what = "These are votes of visitors in a table that is no longer as the demo wrote it"
            raise HanjulError(what, str(source), "give the dataset of the demo, or a JSONL file of it")
        chosen = records
        if settings.limit and settings.limit < len(records):
            chosen = random.Random(seed).sample(records, settings.limit)
        rows = to_rows(chosen, kind)
        write_raw(rows, folder / "out" / RAW_FILES[kind])
        taken = (
            f"{len(rows)} of {counted(len(records), 'row')} (import.limit)"
            if len(rows) < len(records)
            else counted(len(rows), "row")
        )
        return Outcome(taken, {"in": len(records), "out": len(rows)})

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merge_configs(hub.text(parent, "README.md") if parent else "", dataset.id, "raw")

    return run_stage(hub, stage, work, card)
