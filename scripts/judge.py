"""The likelihood judge of a dataset: the base model, shown a few rows of it and calibrated on others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri
from tqdm import tqdm

from pipelines.rows import split_of
from scripts import log
from scripts.errors import HanjulError
from scripts.faults import refused
from scripts.hub import Hub

if TYPE_CHECKING:
    from model_card.judge import Judge
    from pipelines.likelihood import RawScores

#: Held-out rows without which a calibration says nothing.
LEAST_HELD_OUT = 8

BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


def of_rows(
    model: Any,
    tokenizer: Any,
    base: HfUri,
    rows: Sequence[Any],
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
    from pipelines.likelihood import SHOTS, STRANGERS, Scorable, Scorer, raw_scores

    trusted = [row for row in rows if row["source"] != "synthesised"]
    train = [row for row in trusted if split_of(row["product"]) == "train"]
    held_out = [row for row in trusted if split_of(row["product"]) != "train"]
    shown = SHOTS + STRANGERS
    if len(train) < shown or len(held_out) < LEAST_HELD_OUT:
        raise HanjulError(
            f"{len(train)} train and {len(held_out)} held-out rows are too few for a calibrated judge",
            base.to_uri(),
            "import more rows: some hundreds, over many products",
        )
    draw = random.Random(seed)
    examples = draw.sample(train, shown)
    contrast = draw.sample(held_out, min(calibration_rows, len(held_out)))
    name = f"{base.id}@{str(base.revision)[:7]}"
    log.log(f"judge: {name}, likelihood, calibrated on {len(contrast)} held-out rows")
    with refused("calibration"):
        scorer = Scorer(model, tokenizer, examples)

        def raw(scored: Sequence[Scorable]) -> list[RawScores]:
            with tqdm(total=1.0, desc=f"judge: {len(scored)} lines", bar_format=BAR, disable=log.QUIET) as bar:
                return raw_scores(scorer, scored, lambda share: bar.update(share - bar.n))

        return calibrated(name, raw, contrast, bootstrap=bootstrap, seed=seed)


def of_dataset(hub: Hub, dataset: HfUri, base: HfUri, *, calibration_rows: int, bootstrap: int, seed: int) -> Judge:
    """The judge of a published dataset, from all splits of its config `default`."""
    from scripts import models

    model, tokenizer = models.load_base(base)
    rows = list(hub.rows(dataset, "default"))
    return of_rows(model, tokenizer, base, rows, calibration_rows=calibration_rows, bootstrap=bootstrap, seed=seed)
