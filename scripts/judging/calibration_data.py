"""Choose, from the rows of a dataset, what a judge is shown and what it is calibrated on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model_card.judging.contrast_kinds import CONTRAST_KINDS
from model_card.judging.contrast_set import Contrast, build_contrast_set
from model_card.judging.graded import graded_lines, of_part
from pipelines.errors import HanjulError
from pipelines.likelihood.scorer import DISTRACTORS, SHOTS
from pipelines.metrics import METRICS
from pipelines.rows import Scorable, split_of
from pipelines.synthesis.examples import exemplary_slogans
from pipelines.text.counted import counted
from scripts.core.faults import input_errors
from scripts.core.settings import EvaluateSettings


@dataclass(frozen=True)
class CalibrationData:
    """What judges of a dataset are made from: rows that people wrote, those of no judge's own kind.

    Attributes:
        examples: rows of the train split that a likelihood judge is shown.
        corpus: lines of the train split.
        contrasts: the contrast set, of held-out rows, real slogans and graded lines by models.
    """

    examples: tuple[Scorable, ...]
    corpus: tuple[str, ...]
    contrasts: tuple[Contrast, ...]


def calibration_data(rows: Sequence[Any], where: str, settings: EvaluateSettings, seed: int) -> CalibrationData:
    """The examples, the corpus and the contrast set of a dataset.

    Args:
        rows: with product, values, ad_copy and source; synthesised ones are passed over, a judge must not learn from
            what it will judge.
        where: names the rows in errors.

    Raises:
        HanjulError: too few rows, or none that can be spoilt in one of the ways that judges are asked about.
    """
    people = [row for row in rows if row.get("source") != "synthesised" and row["values"]]
    # In an order of their own: the same rows, wherever they come from, make the same judge, and scores that are kept.
    trusted = sorted(people, key=lambda row: (row["product"], list(row["values"]), row["ad_copy"]))
    train, validation, test = (
        [row for row in trusted if split_of(row["product"]) == split] for split in ("train", "validation", "test")
    )
    if len(train) < SHOTS + DISTRACTORS:
        raise HanjulError(
            f"{counted(len(train), 'row')} in the train split: a judge is shown {SHOTS + DISTRACTORS}",
            where,
            "import more rows: some hundreds, over many products",
        )
    draw = random.Random(seed)
    examples = draw.sample(train, SHOTS + DISTRACTORS)
    wanted = settings.calibration_rows
    drawn = draw.sample(test, min(wanted, len(test)))
    # An adapter's best checkpoint may have been chosen by the validation rows, so those only fill up.
    drawn += draw.sample(validation, min(wanted - len(drawn), len(validation)))
    with input_errors(where):
        contrasts = build_contrast_set(drawn, exemplary_slogans(), of_part(graded_lines(), "test"), seed)
    # Better known now than after a judge was paid.
    missing = {kind for metric in METRICS.values() for kind in metric.contrasts} - {one.kind for one in contrasts}
    if missing:
        named = ", ".join(CONTRAST_KINDS[kind].english for kind in sorted(missing))
        raise HanjulError(
            f"{len(drawn)} held-out rows leave kinds of bad line without an example: {named}",
            where,
            "raise `evaluate.calibration_rows`, or import more rows",
        )
    return CalibrationData(tuple(examples), tuple(row["ad_copy"] for row in train), tuple(contrasts))
