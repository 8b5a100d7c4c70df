"""The likelihood judge on reference rows: what it tells, and how fast it reads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from model_card.comparison.report import METRICS, Calibration
from pipelines.likelihood.log_probabilities import Continuations
from pipelines.likelihood.scorer import RawScores, Scorer
from pipelines.rows import split_of
from scripts.core.settings import EvaluateSettings
from scripts.hub.hub import Hub
from scripts.judging import likelihood_judge
from scripts.judging.calibration_data import CalibrationData, calibration_data
from scripts.models import models
from scripts.recipes import load as recipe_named
from scripts.stages import filter, import_rows, train
from tests.bench.straightforward import WholeTexts
from tests.bench.synthesis import say


def measure(hub: Hub, data: Path, rows: int, max_steps: int, seed: int, timed: int, slow: int) -> dict[str, Any]:
    """AUC of the trained judge and of the base behind examples, and the speed of the latter."""
    recipe = recipe_named("imported", {"import.source": str(data), "import.limit": None, "filter.judge": "none"})
    judging = recipe_named("train/judge-gemma-3-270m", {"train.max_steps": max_steps}).train
    raw = import_rows.run(hub, hub.repo("dataset", recipe.dataset), recipe.import_, seed)
    dataset, base = filter.run(hub, raw, None, recipe), models.resolve_base(hub, judging)
    settings = EvaluateSettings(calibration_rows=rows)
    found = [row for row in hub.rows(dataset, "default") if split_of(row["product"]) != "validation"]
    given = calibration_data(found, dataset.to_uri(), settings, seed)
    say(f"{len(found)} rows; {len(given.contrasts)} couples of the test split")
    speed = _speed(base, given, timed, slow)
    shown = likelihood_judge.likelihood(base, given, settings, seed).facts.calibration
    adapter: HfUri = train.run(hub, dataset, base, judging, seed)
    trained = likelihood_judge.likelihood(adapter, given, settings, seed, base=base, trained=True).facts.calibration
    return {
        "auc": _areas(trained),
        "kinds": {kind: round(of.auc, 4) for metric in METRICS for kind, of in trained[metric].kinds.items()},
        "paired": {metric: round(trained[metric].paired.value, 4) for metric in METRICS},
        "auc_low": {metric: round(trained[metric].auc.low, 4) for metric in METRICS},
        "auc_shown": _areas(shown),
        **speed,
    }


def _areas(calibration: dict[str, Calibration]) -> dict[str, float]:
    return {metric: round(calibration[metric].auc.value, 4) for metric in METRICS}


def _speed(base: HfUri, given: CalibrationData, timed: int, slow: int) -> dict[str, float]:
    """Rows a second of both readers on the same model, in float32 so that their scores can be held against each other.

    The straightforward one has `slow` of the rows.
    """
    model, tokenizer = models.load_base(base)
    model.float()
    rows = [contrast.good for contrast in given.contrasts][:timed]
    fast = Scorer(Continuations(model, tokenizer), given.examples, given.corpus)
    whole = Scorer(WholeTexts(model, tokenizer), given.examples, given.corpus)
    fast.scores(rows[:8])
    started = time.perf_counter()
    ours = fast.scores(rows)
    ours_rate = len(rows) / (time.perf_counter() - started)
    started = time.perf_counter()
    theirs = [whole.scores([row])[0] for row in rows[:slow]]
    whole_rate = slow / (time.perf_counter() - started)
    say(f"likelihood: {ours_rate:.1f} rows/s, texts read whole {whole_rate:.3f} rows/s")
    del model
    return {
        "likelihood_ratio": round(ours_rate / whole_rate, 2),
        "likelihood_rows_s": round(ours_rate, 2),
        "score_difference": max(_apart(one, other) for one, other in zip(ours, theirs, strict=False)),
    }


def _apart(one: RawScores, other: RawScores) -> float:
    return max(abs(getattr(one, metric) - getattr(other, metric)) for metric in METRICS)
