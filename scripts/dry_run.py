"""`--dry-run`: which endpoints a command would ask, how much of them, and what is missing. Nothing is sent to any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from huggingface_hub import HfUri

from model_card.comparison.agreement import OVERALL, counted_votes, line_pairs
from pipelines.corpus import load_corpus
from pipelines.endpoint.spending.prices import typical_input_tokens
from pipelines.errors import HanjulError
from scripts.comparison.eval_prompts import few_shot_chat
from scripts.core import endpoints
from scripts.core.asked import Asked, Judged, columns, missing_in_words
from scripts.core.settings import PairsSettings, Recipe
from scripts.hub.hub import Hub
from scripts.judging.calibration_data import calibration_data
from scripts.labelling import votes_repo
from scripts.stages import evaluate as stage
from scripts.teaching import estimate, teachers

NOBODY = "No endpoint is asked: models on this machine write and judge."
#: Where a release publishes nothing yet, the corpus stands for its rows.
CORPUS = "the corpus"


def of_release(recipe: Recipe, *, local_hub: bool) -> str:
    """Of all stages of a release that has not begun.

    Args:
        local_hub: see `endpoints.key_for`.
    """
    found = []
    if recipe.pairs and recipe.synthesize:
        found += _proposals(recipe.pairs, local_hub)
        found.append(estimate.of_recipe(recipe, local_hub=local_hub).table())
    rows = list(load_corpus())
    # One base, though it may be an encoder-decoder, which does not write: no Hub is asked here.
    systems = stage.systems_of(recipe, starts=1 if recipe.train.start else 0)
    found += _teacher_beside(recipe, rows, local_hub)
    found += _judge(recipe, rows, CORPUS, Judged(systems, _lines(recipe)), local_hub)
    return _said(found)


def of_pairs(settings: PairsSettings, *, local_hub: bool) -> str:
    """Of `hanjul pairs`."""
    return _said(_proposals(settings, local_hub))


def of_evaluation(
    hub: Hub, adapters: Sequence[HfUri], dataset: HfUri, recipe: Recipe, teacher: HfUri | None = None
) -> str:
    """Of `hanjul evaluate`, for pinned adapters and dataset.

    Raises:
        HanjulError: an adapter that is none, or is given twice.
    """
    group = stage.Group.of(hub, adapters, dataset, recipe.evaluate, teacher)
    rows = list(hub.rows(dataset, "default"))
    judged = _with_votes(hub, recipe, Judged(stage.count_systems(group, recipe), _lines(recipe)))
    found = _teacher_beside(recipe, rows, hub.is_local)
    found += _judge(recipe, rows, dataset.to_uri(), judged, hub.is_local)
    return _said([*found, *_without_pairs(recipe, rows)])


def of_calibration(hub: Hub, dataset: HfUri, recipe: Recipe) -> str:
    """Of `hanjul calibrate`, for a pinned dataset."""
    rows = list(hub.rows(dataset, "default"))
    return _said(_judge(recipe, rows, dataset.to_uri(), _with_votes(hub, recipe, Judged()), hub.is_local))


def _said(found: Sequence[str]) -> str:
    return "\n\n".join(found) or NOBODY


def _lines(recipe: Recipe) -> int:
    return recipe.evaluate.pairs * recipe.evaluate.candidates


def _proposals(settings: PairsSettings, local_hub: bool) -> list[str]:
    return [estimate.of_proposals(settings.propose, local_hub=local_hub).table()] if settings.propose else []


def _teacher_beside(recipe: Recipe, rows: Sequence[Any], local_hub: bool) -> list[str]:
    """A teacher at an endpoint, which writes for the same pairs as the systems that are compared."""
    settings, asked = recipe.synthesize, recipe.evaluate
    if not (settings and settings.teacher.base_url):
        return []
    shots = rows[: stage.SHOTS]
    prompt = typical_input_tokens(few_shot_chat(shots[1:], shots[0]["product"], shots[0]["values"])) if shots else 0
    lines = _lines(recipe)
    return [
        Asked(
            who="teacher",
            model=f"{settings.teacher.model} at {settings.teacher.base_url}",
            what=f"its lines for the {asked.pairs} pairs of the evaluation",
            requests=asked.pairs,
            most_requests=lines,
            fewest="if an answer holds all lines of a pair",
            input_tokens=asked.pairs * prompt,
            output_tokens=lines * estimate.LINE_TOKENS,
            most_output_tokens=settings.max_new_tokens,
            price=endpoints.price_of(settings),
            place=teachers.PLACE,
            limits=endpoints.limits_of(settings),
            missing=endpoints.missing(settings, teachers.PLACE, local_hub=local_hub),
        ).table()
    ]


def _with_votes(hub: Hub, recipe: Recipe, judged: Judged) -> Judged:
    """With what people voted on, which the judge is asked, too."""
    if not (recipe.evaluate.judge and recipe.evaluate.votes):
        return judged
    votes = votes_repo.read(hub, hub.resolve(recipe.evaluate.votes, "dataset"))
    pairs, whole = len(line_pairs(votes)), all(vote.question == OVERALL for vote in counted_votes(votes))
    return Judged(judged.systems, judged.lines, 0 if whole else 2 * pairs, pairs if whole else 0)


def _judge(recipe: Recipe, rows: Sequence[Any], where: str, judged: Judged, local_hub: bool) -> list[str]:
    """The LLM judge of a recipe, if it names one; what its calibration lacks is missing, too."""
    if not (judge := recipe.evaluate.judge):
        return []
    from scripts.judging.judge_estimate import of_judge  # which takes deepeval
    from scripts.judging.llm_judge import PLACE

    try:
        data = calibration_data(rows, where, recipe.evaluate, recipe.seed)
    except HanjulError as error:
        missing = (str(error), *endpoints.missing(judge, PLACE, local_hub=local_hub))
        return [columns({"judge": f"{judge.model} at {judge.base_url}", "missing": missing_in_words(missing)})]
    return [of_judge(recipe, data, judged, local_hub=local_hub).table()]


def _without_pairs(recipe: Recipe, rows: Sequence[Any]) -> list[str]:
    """That the test split has not enough of them, if so."""
    try:
        stage.choose_pairs(rows, recipe.evaluate.pairs, recipe.seed)
    except HanjulError as error:
        return [columns({"pairs": "of the test split", "missing": str(error)})]
    return []
