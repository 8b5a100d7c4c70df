"""Likelihood scores of rows. What was scored once, by the same judge, is not scored again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri

from pipelines.endpoint.store import Store, key_of
from scripts.settings import Recipe

if TYPE_CHECKING:
    from model_card.judge import Judge

#: Of the way in which rows are scored; scores of another are not taken from the store.
VERSION = 1
#: Rows that are scored before their scores are kept.
CHUNK = 2000

Rows = Sequence[dict[str, Any]]


def scored(rows: Rows, people: Rows, base: HfUri, recipe: Recipe) -> list[dict[str, Any]]:
    """The rows with `scores`.

    Args:
        people: the rows that people wrote, from which the judge takes its examples and its calibration.
        base: pinned model whose likelihoods are the scores.

    Raises:
        HanjulError: too few rows to calibrate the judge on.
    """
    from scripts.teachers import answers_path

    store = Store(answers_path())
    identity = _judge(people, base, recipe)
    keys = [key_of(identity, {"row": row["id"]}) for row in rows]
    scores = [store.answer(key) for key in keys]
    missing = [place for place, found in enumerate(scores) if found is None]
    if missing:
        measure = _judge_of(identity, people, base, recipe)
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            lines: Any = [rows[place] for place in chunk]
            for place, found in zip(chunk, measure.scores(lines), strict=True):
                scores[place] = dict(found)
                store.keep(keys[place], scores[place])
    store.close()
    return [row | {"scores": found} for row, found in zip(rows, scores, strict=True)]


@cache
def _judges() -> dict[str, Judge]:
    return {}


def _judge_of(identity: str, people: Rows, base: HfUri, recipe: Recipe) -> Judge:
    """The judge, made once for all rounds of a run; the last one is kept."""
    from scripts import judge, models

    judges = _judges()
    if identity not in judges:
        judges.clear()
        judges[identity] = judge.of_rows(
            *models.load_base(base),
            base,
            people,
            calibration_rows=recipe.evaluate.calibration_rows,
            bootstrap=recipe.evaluate.bootstrap,
            seed=recipe.seed,
        )
    return judges[identity]


def _judge(people: Rows, base: HfUri, recipe: Recipe) -> str:
    """What the scores depend on beside the row itself."""
    settings = recipe.evaluate.calibration_rows, recipe.evaluate.bootstrap, recipe.seed
    content = json.dumps([base.to_uri(), settings, [row["id"] for row in people]])
    return f"likelihood {VERSION} {sha256(content.encode()).hexdigest()}"
