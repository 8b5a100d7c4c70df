"""The judges of a dataset: the base model's likelihoods and, where a recipe names one, an LLM; each calibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from huggingface_hub import HfUri

from model_card.comparison.agreement import outcomes, people
from model_card.judging.judge import Judge, calibrated
from scripts.core.faults import input_errors
from scripts.core.settings import EvaluateSettings, Recipe
from scripts.hub.hub import Hub
from scripts.judging.calibration_data import CalibrationData
from scripts.judging.likelihood_judge import make_likelihood_judge
from scripts.judging.sense_judge import make_sense_judge
from scripts.labelling import votes_repo
from scripts.models import models


def check_installed() -> None:
    """Import what an evaluation judges with; that it lacks is better known before hours of work.

    Raises:
        ModuleNotFoundError: deepeval is not installed.
    """
    from model_card.judging import deepeval_metrics  # noqa: F401


@contextmanager
def open_llm_judge(
    hub: Hub,
    settings: EvaluateSettings,
    run: Mapping[str, Any],
    data: CalibrationData,
    seed: int,
    teacher: str | None = None,
) -> Iterator[tuple[Judge, Any]]:
    """Open the LLM judge that a recipe names, calibrated, for as long as the block runs; and count what it uses.

    Args:
        run: what its budget is for; see `llm_judge.open_judge`.
        teacher: the model that wrote.

    Raises:
        HanjulError: see `llm_judge.open_judge`.
    """
    from scripts.judging import llm_judge  # which takes deepeval

    assert settings.judge
    with llm_judge.open_judge(hub, settings.judge, run, teacher=teacher) as endpoint, input_errors("calibration"):
        judge = calibrated(
            endpoint.name,
            "geval",
            endpoint.scoring,
            endpoint.raw,
            data.contrasts,
            samples=endpoint.samples,
            prefers=endpoint.prefers,
            duels=settings.judge.duels,
            bootstrap=settings.bootstrap,
            seed=seed,
        )
        yield judge, endpoint.usage


@contextmanager
def open_judges(
    hub: Hub, scorer: HfUri, votes: HfUri | None, recipe: Recipe, data: CalibrationData
) -> Iterator[tuple[list[Judge], Callable[[], dict[str, Any]]]]:
    """Open the judges of a recipe, calibrated, for as long as the block runs; and count what they use.

    The most reliable one comes first; of equally reliable ones an LLM, where the recipe names one, before the
    likelihoods and these before the judge of sense, whose base is the likelihoods' own.

    Args:
        scorer: pinned model whose likelihoods judge.
        votes: pinned dataset of people's votes, which every judge is set beside.
    """

    settings, seed = recipe.evaluate, recipe.seed
    cast_votes = votes_repo.read(hub, votes) if votes else []
    with ExitStack() as stack:
        judges: list[Judge] = []
        usage: Callable[[], dict[str, Any]] = dict
        if settings.judge:
            budget = recipe.model_dump(include={"dataset", "version", "seed"})
            teacher = recipe.synthesize.teacher.model if recipe.synthesize else None
            first, usage = stack.enter_context(open_llm_judge(hub, settings, budget, data, seed, teacher))
            judges.append(first)
        base, trained = models.base_of(hub, scorer) if models.is_adapter(scorer) else None, models.is_judge(hub, scorer)
        judges.append(make_likelihood_judge(scorer, data, settings, seed, base=base, trained=trained))
        judges.append(make_sense_judge(hub, base or scorer, data.contrasts, settings, seed))
        if cast_votes:
            for judge in judges:
                beside = people(cast_votes, outcomes(judge, cast_votes), bootstrap=settings.bootstrap, seed=seed)
                judge.facts = replace(judge.facts, people=beside)
        yield sorted(judges, key=lambda judge: judge.facts.reliability, reverse=True), usage
