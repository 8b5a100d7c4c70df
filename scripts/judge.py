"""The likelihood judge of a dataset: the base model, shown a few rows of it and calibrated on others."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri

from pipelines.rows import split_of
from scripts.errors import HanjulError
from scripts.faults import refused
from scripts.hub import Hub
from scripts.log import log

if TYPE_CHECKING:
    from model_card.judge import Judge

#: Rows that the judge reads before the line it scores.
EXAMPLES = 8


def of_rows(
    model: Any,
    tokenizer: Any,
    base: HfUri,
    rows: Sequence[Mapping[str, Any]],
    *,
    calibration_rows: int,
    bootstrap: int,
    seed: int,
) -> Judge:
    """A judge from rows that people wrote: examples from the train split, calibration on held-out products.

    Args:
        model, tokenizer: of the base model, loaded.
        rows: with product, values, ad_copy and source; synthesised ones are passed over, a judge must not learn from
            what it will judge.

    Raises:
        HanjulError: too few rows to calibrate on.
    """
    from model_card.judge import calibrated
    from pipelines.likelihood import Scorer

    trusted = [row for row in rows if row["source"] != "synthesised"]
    train = [row for row in trusted if split_of(row["product"]) == "train"]
    held_out = [row for row in trusted if split_of(row["product"]) != "train"]
    if len(train) < EXAMPLES or len(held_out) < EXAMPLES:
        raise HanjulError(
            f"{len(train)} train and {len(held_out)} held-out rows are too few for a calibrated judge",
            base.to_uri(),
            f"import more rows: at least {EXAMPLES} of each, best some hundreds over many products",
        )
    draw = random.Random(seed)
    examples = draw.sample(train, EXAMPLES)
    contrast = draw.sample(held_out, min(calibration_rows, len(held_out)))
    name = f"{base.id}@{str(base.revision)[:7]}"
    log(f"judge: {name}, likelihood, calibrated on {len(contrast)} held-out rows")
    with refused("calibration"):
        return calibrated(name, Scorer(model, tokenizer, examples).raw_scores, contrast, bootstrap=bootstrap, seed=seed)


def of_dataset(hub: Hub, dataset: HfUri, base: HfUri, *, calibration_rows: int, bootstrap: int, seed: int) -> Judge:
    """The judge of a published dataset, from all splits of its config `default`."""
    from scripts import models

    rows = [row for split in ("train", "validation", "test") for row in hub.rows(dataset, "default", split)]
    model, tokenizer = models.load_base(base)
    return of_rows(
        model, tokenizer, base, rows, calibration_rows=calibration_rows, bootstrap=bootstrap, seed=seed
    )
