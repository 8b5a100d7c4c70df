"""The likelihood judge on held-out rows: what it tells apart, and how fast it reads.

    python -m tests.bench.with_local_hub tests.bench.judge.likelihoods --imported 5000 --rows 200

Last line on stdout: one JSON object, see `measure`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from model_card.judging.facts import Calibration
from pipelines.likelihood.log_probabilities import Continuations
from pipelines.likelihood.scorer import Scorer
from pipelines.rows import split_of
from scripts.core.settings import EvaluateSettings, TrainSettings
from scripts.hub.connect import connect
from scripts.hub.hub import Hub
from scripts.judging import likelihood_judge
from scripts.judging.calibration_data import CalibrationData, calibration_data
from scripts.models import models
from scripts.recipes import load as load_recipe
from scripts.stages import filter, import_rows, train
from tests.bench.judge.whole_texts import WholeTexts
from tests.bench.report import say
from tests.tiny import gemma

SEED = 20261122


def measure(hub: Hub, args: argparse.Namespace) -> dict[str, Any]:
    """AUC of the trained judge and of the base behind examples, and the speed of the latter."""
    recipe = load_recipe(
        "imported", {"import.source": "starter", "import.limit": args.imported, "filter.judge": "none"}
    )
    judging = judge_settings(hub, args)
    raw = import_rows.run(hub, hub.repo("dataset", recipe.dataset), recipe.import_, SEED)
    dataset, base = filter.run(hub, raw, None, recipe), models.resolve_base(hub, judging)
    settings = EvaluateSettings(calibration_rows=args.rows)
    rows = [row for row in hub.rows(dataset, "default") if split_of(row["product"]) != "validation"]
    data = calibration_data(rows, dataset.to_uri(), settings, SEED)
    say(f"{len(rows)} rows; {len(data.contrasts)} pairs of lines of the test split")
    speed = _speed(base, data, args.timed, args.whole)
    shown = likelihood_judge.make_likelihood_judge(base, data, settings, SEED).facts.calibration
    adapter: HfUri = train.run(hub, dataset, base, judging, SEED)
    trained = likelihood_judge.make_likelihood_judge(
        adapter, data, settings, SEED, base=base, trained=True
    ).facts.calibration
    return {
        "auc": _areas(trained),
        "kinds": {
            metric: {name: round(kind.auc, 4) for name, kind in known.kinds.items()}
            for metric, known in trained.items()
        },
        "paired": {metric: round(known.paired.value, 4) for metric, known in trained.items()},
        "auc_low": {metric: round(known.auc.low, 4) for metric, known in trained.items()},
        "auc_shown": _areas(shown),
        **speed,
    }


def judge_settings(hub: Hub, args: argparse.Namespace) -> TrainSettings:
    """The training of the judge that Hanjul ships a recipe for; in a smoke run on a tiny base."""
    settings = load_recipe("train/judge-gemma-3-270m", {"train.max_steps": args.max_steps}).train
    if not args.smoke:
        return settings
    repo = hub.repo("model", "tiny-base")
    with tempfile.TemporaryDirectory() as folder:
        gemma.save_base(Path(folder))
        hub.api.create_repo(repo.id)
        hub.api.upload_folder(repo_id=repo.id, folder_path=folder)
    # The tiny tokenizer knows few syllables and spells the others byte by byte.
    return settings.model_copy(update={"base_model": repo.id, "max_length": 1024})


def _areas(calibration: dict[str, Calibration]) -> dict[str, float]:
    return {metric: round(known.auc.value, 4) for metric, known in calibration.items()}


def _speed(base: HfUri, data: CalibrationData, timed: int, whole: int) -> dict[str, float]:
    """Rows a second of both readers on the same model, in float32 so that their scores can be held against each other.

    The straightforward one has `whole` of the rows.
    """
    model, tokenizer = models.load_base(base)
    model.float()
    rows = [contrast.good for contrast in data.contrasts][:timed]
    ours = Scorer(Continuations(model, tokenizer), data.examples, data.corpus)
    theirs = Scorer(WholeTexts(model, tokenizer), data.examples, data.corpus)
    ours.scores(rows[:8])
    started = time.perf_counter()
    our_scores = ours.scores(rows)
    our_rate = len(rows) / (time.perf_counter() - started)
    started = time.perf_counter()
    their_scores = [theirs.scores([row])[0] for row in rows[:whole]]
    their_rate = whole / (time.perf_counter() - started)
    say(f"likelihood: {our_rate:.1f} rows/s, texts read whole {their_rate:.3f} rows/s")
    return {
        "likelihood_ratio": round(our_rate / their_rate, 2),
        "likelihood_rows_s": round(our_rate, 2),
        "score_difference": max(_apart(one, other) for one, other in zip(our_scores, their_scores, strict=False)),
    }


def _apart(one: dict[str, float], other: dict[str, float]) -> float:
    return max(abs(one[metric] - other[metric]) for metric in one)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imported", type=int, required=True, help="rows of the written corpus")
    parser.add_argument("--rows", type=int, required=True, help="held-out rows of the calibration")
    parser.add_argument("--max-steps", type=int, default=-1, help="of the judge's training; -1 is one epoch")
    parser.add_argument("--timed", type=int, default=96, help="rows that are read against the clock")
    parser.add_argument("--whole", type=int, default=4, help="of those, rows that are read whole, too")
    parser.add_argument("--smoke", action="store_true", help="on a tiny base")
    return parser


if __name__ == "__main__":
    print(json.dumps(measure(connect(), parser().parse_args())))
