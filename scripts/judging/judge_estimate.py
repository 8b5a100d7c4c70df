"""Estimates for `--dry-run` what an LLM judge would be asked and cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

from model_card.judging.deepeval_api import DeepEvalBaseLLM
from model_card.judging.facts import FEW
from model_card.judging.geval import GEVAL_METRICS
from model_card.judging.judge import distinct_rows, drawn_contrasts
from model_card.judging.rubrics import comparison
from pipelines.endpoint.spending.prices import typical_input_tokens
from pipelines.metrics import METRICS
from pipelines.rows import Scorable
from scripts.core import endpoints
from scripts.core.asked import Asked, Judged
from scripts.core.settings import Recipe
from scripts.judging.calibration_data import CalibrationData
from scripts.judging.llm_judge import PLACE

#: Tokens of an answer, typically: a Korean sentence and a digit as JSON.
ANSWER_TOKENS = 45
#: Rows whose prompts are measured; the others are taken to be like them.
MEASURED = 20


def of_judge(recipe: Recipe, data: CalibrationData, judged: Judged, *, local_hub: bool) -> Asked:
    """The estimate for the LLM judge of a recipe that names one.

    Args:
        data: what it would be calibrated on.
        local_hub: see `endpoints.key_for`.
    """
    settings = recipe.evaluate.judge
    assert settings
    rows = distinct_rows(data.contrasts)
    pairs = drawn_contrasts(data.contrasts, settings.duels, recipe.seed)
    between = min(settings.duels, comb(judged.systems, 2) * judged.lines)
    scores = len(METRICS) * (len(rows) + judged.systems * judged.lines + judged.scored)
    comparisons = 2 * (len(pairs) + between + judged.compared)
    first = 1 + scores + comparisons  # a small request shows how it comes to its scores
    of_score, of_comparison = _prompt_tokens(rows, pairs)
    return Asked(
        who="judge",
        model=f"{settings.model} at {settings.base_url}",
        what=_in_words(judged, len(rows), len(pairs), recipe),
        requests=first,
        most_requests=1 + settings.samples * (scores + comparisons) + scores,
        fewest=f"if it gives token probabilities; without, {settings.samples} answers to each question, and one more "
        "for each reason that is not Korean",
        input_tokens=round(scores * of_score + comparisons * of_comparison),
        output_tokens=first * ANSWER_TOKENS,
        most_output_tokens=settings.max_new_tokens,
        price=endpoints.price_of(settings),
        place=PLACE,
        limits=endpoints.limits_of(settings),
        missing=endpoints.missing(settings, PLACE, local_hub=local_hub),
    )


def _in_words(judged: Judged, rows: int, pairs: int, recipe: Recipe) -> str:
    held_out = recipe.evaluate.calibration_rows
    found = f"calibrated on {rows} lines and {pairs} comparisons ({held_out} held-out rows"
    found += f": under {FEW} only a judge that hardly errs counts as reliable)" if held_out < FEW else ")"
    if judged.systems:
        found += f", then {judged.lines} lines of each of {judged.systems} systems"
    if judged.scored or judged.compared:
        found += ", and what people voted on"
    return found


class _Unasked(DeepEvalBaseLLM):  # type: ignore[misc]
    """Stands for a model where prompts are made and nobody is asked."""

    def load_model(self, *args: Any, **kwargs: Any) -> None:
        return None

    def get_model_name(self, *args: Any, **kwargs: Any) -> str:
        return "nobody"

    def generate(self, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError

    async def a_generate(self, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError

    def generate_raw_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


def _prompt_tokens(rows: Sequence[Scorable], pairs: Sequence[tuple[Scorable, Scorable]]) -> tuple[float, float]:
    """Of a prompt for one score, and of one for a comparison, about."""
    metrics = [metric_class(_Unasked()) for metric_class in GEVAL_METRICS.values()]
    scoring = [metric.prompt(row) for row in rows[:MEASURED] for metric in metrics]
    comparing = [comparison(*pair) for pair in pairs[:MEASURED]]
    return _mean_tokens(scoring), _mean_tokens(comparing)


def _mean_tokens(prompts: Sequence[str]) -> float:
    tokens = sum(typical_input_tokens([{"content": prompt}]) for prompt in prompts)
    return tokens / max(1, len(prompts))
