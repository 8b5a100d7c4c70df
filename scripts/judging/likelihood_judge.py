"""Judge lines by the likelihoods of a language model, calibrated on the contrast set of the dataset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from huggingface_hub import HfUri

from model_card.judging.judge import Judge, calibrated
from pipelines.likelihood.log_probabilities import Continuations
from pipelines.likelihood.scorer import Scorer
from scripts.core import log
from scripts.core.faults import input_errors
from scripts.core.fingerprint import output_settings
from scripts.core.settings import CalibrationSettings, EvaluateSettings, Recipe
from scripts.judging.calibration_data import CalibrationData, calibration_data
from scripts.judging.score_cache import KeptScores
from scripts.models import models

Rows = Sequence[dict[str, Any]]


def make_likelihood_judge(
    scorer: HfUri,
    data: CalibrationData,
    settings: EvaluateSettings,
    seed: int,
    *,
    base: HfUri | None = None,
    trained: bool = False,
) -> Judge:
    """Calibrate a judge whose scores are a language model's likelihoods.

    Args:
        scorer: pinned base model, or adapter.
        base: pinned, of an adapter.
        trained: it was trained as a judge.
    """

    def load() -> Scorer:
        loaded = models.load_adapter(scorer, base) if base else models.load_base(scorer)
        return Scorer(Continuations(*loaded), data.examples, data.corpus, trained=trained)

    name = f"{scorer.id}@{str(scorer.revision)[:7]}"
    log.log(f"judge: {name}, likelihood, calibrated on {len(data.contrasts)} contrasts")
    with input_errors("calibration"):
        raw = KeptScores(load, (scorer, base), data)
        return calibrated(
            name, "likelihood", "likelihood", raw, data.contrasts, bootstrap=settings.bootstrap, seed=seed
        )


def add_scores(rows: Rows, people: Rows, base: HfUri, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the rows with `scores` by the base model's likelihoods.

    Args:
        people: the rows that people wrote, from which the judge takes its examples and its calibration.
        base: pinned model whose likelihoods are the scores.

    Raises:
        HanjulError: too few rows to calibrate the judge on.
    """
    calibration = output_settings(recipe.evaluate, CalibrationSettings)
    identity = json.dumps([base.to_uri(), calibration, recipe.seed, [row["id"] for row in people]])
    verdicts = _judge_of(identity, people, base, recipe).verdicts(rows)  # type: ignore[arg-type]
    scores = [verdict.scores for verdict in verdicts if verdict]  # likelihoods leave nothing unjudged
    return [row | {"scores": dict(by_metric)} for row, by_metric in zip(rows, scores, strict=True)]


@cache
def _judges() -> dict[str, Judge]:
    return {}


def _judge_of(identity: str, people: Rows, base: HfUri, recipe: Recipe) -> Judge:
    """The judge, made once for all rounds of a run; the last one is kept."""

    known = _judges()
    if identity not in known:
        known.clear()
        data = calibration_data(people, base.to_uri(), recipe.evaluate, recipe.seed)
        known[identity] = make_likelihood_judge(base, data, recipe.evaluate, recipe.seed)
    return known[identity]
