"""`hanjul calibrate`: how far each judge can be trusted, published with the contrast set that says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri
from pydantic import TypeAdapter

from model_card.cards.calibration_figure import calibration
from model_card.comparison.readings import readings
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import JudgeFacts
from model_card.judging.graded import graded_lines
from model_card.judging.judge import Judge
from pipelines.features import write_rows
from pipelines.metrics import METRICS
from scripts.core.fingerprint import output_settings
from scripts.core.settings import JudgesSettings, Recipe
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.judging import judges, judges_repo, sense_judge
from scripts.judging.calibration_data import calibration_data
from scripts.models import models

CONTRAST, SCORES, FACTS, FIGURE = "contrast/train.parquet", "scores/train.parquet", "judges.json", "calibration.png"


def run(hub: Hub, dataset: HfUri, recipe: Recipe) -> HfUri:
    """Commit the contrast set, every judge's scores of it and what follows from them to a dataset repo.

    The judges are the LLM that the recipe names, if it does, and the likelihoods of its scorer, by default its base.

    Args:
        dataset: pinned, with config `default`: its held-out rows stand beside real slogans and graded lines by models.

    Raises:
        HanjulError: too few rows, or the endpoint is not there; see `scripts.judging.judges`.
    """
    settings, repo = recipe.evaluate, hub.repo("dataset", recipe.calibrate.repo, "calibrate.repo")
    scorer = models.scorer_of(hub, [models.resolve_base(hub, recipe.train)], settings.scorer)
    votes = hub.resolve(settings.votes, "dataset") if settings.votes else None
    inputs = {"dataset": dataset.to_uri(), "scorer": scorer.to_uri()} | ({"votes": votes.to_uri()} if votes else {})
    options = output_settings(settings, JudgesSettings) | {
        "seed": recipe.seed,
        "judge of sense": sense_judge.identity(),
    }

    def work(folder: Path) -> Outcome:
        data = calibration_data(list(hub.rows(dataset, "default")), dataset.to_uri(), settings, recipe.seed)
        with judges.open_judges(hub, scorer, votes, recipe, data) as (opened, usage):
            write(opened, data.contrasts, folder / "out")
            areas = [
                " ".join(f"{metric} {found.auc.value:.2f}" for metric, found in one.facts.calibration.items())
                for one in opened
            ]
            return Outcome(f"AUC {'; '.join(areas)}", {"items": len(data.contrasts)}, usage())

    def card(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        out = folder / "out"
        contrasts = judges_repo.read_contrasts(out / CONTRAST)
        graded = readings(graded_lines(), bootstrap=settings.bootstrap, seed=recipe.seed)
        return judges_repo.readme(hub, parent, repo.id, dataset, read(out), contrasts, graded)

    return run_stage(hub, Stage("calibrate", repo, inputs, options), work, card)


def write(judges: Sequence[Judge], contrasts: Sequence[Contrast], out: Path) -> None:
    """The tables, the figure and `judges.json`."""

    write_rows([_contrast_row(contrast) for contrast in contrasts], out / CONTRAST, features())
    write_rows(_scores(judges, contrasts), out / SCORES, score_features())
    facts = [one.facts for one in judges]
    (out / FACTS).write_text(json.dumps([asdict(one) for one in facts], ensure_ascii=False, indent=1) + "\n", "utf-8")
    (out / FIGURE).write_bytes(calibration(facts))


def read(out: Path) -> Any:
    """The facts of the judges that `write` left."""
    return TypeAdapter(list[JudgeFacts]).validate_json((out / FACTS).read_bytes())


def _contrast_row(contrast: Contrast) -> dict[str, Any]:
    rows = {
        f"{side}_{column}": row[column]
        for side, row in (("good", contrast.good), ("bad", contrast.bad))
        for column in ("values", "ad_copy")
    }
    products = {"product": contrast.good["product"], "bad_product": contrast.bad["product"]}
    return {"kind": contrast.kind, "origin": contrast.origin, **products, **rows}


def _scores(judges: Sequence[Judge], contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """One row for each judge, contrast and side; rows that a judge would not score are left out."""
    found = []
    for one in judges:
        for side in ("good", "bad"):
            verdicts = one.verdicts([getattr(contrast, side) for contrast in contrasts])
            found += [
                {"judge": one.facts.name, "contrast": place, "side": side}
                | {metric: verdict.scores.get(metric) for metric in METRICS}
                for place, verdict in enumerate(verdicts)
                if verdict
            ]
    return found


def features() -> Any:
    """Columns of config `contrast`."""
    from datasets import Features, List, Value

    text, words = Value("string"), List(Value("string"))
    return Features(
        {
            "kind": text,
            "origin": Value("int32"),
            "product": text,
            "good_values": words,
            "good_ad_copy": text,
            "bad_product": text,
            "bad_values": words,
            "bad_ad_copy": text,
        }
    )


def score_features() -> Any:
    """Columns of config `scores`."""
    from datasets import Features, Value

    columns = {"judge": Value("string"), "contrast": Value("int32"), "side": Value("string")}
    return Features(columns | {metric: Value("float64") for metric in METRICS})
