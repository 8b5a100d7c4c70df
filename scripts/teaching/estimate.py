"""Estimates for `--dry-run` what synthesis would send and cost, before anything is sent."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from huggingface_hub import HfUri

from pipelines.endpoint.answers.json_answers import JSON_TOKENS, JSON_TOKENS_PER_LINE
from pipelines.endpoint.spending.prices import Price, typical_input_tokens
from pipelines.errors import HanjulError
from pipelines.planning.pairs import plan_pairs
from pipelines.planning.questions import prompt_of
from pipelines.planning.taxonomy import KINDS, load_craft, load_taxonomy
from pipelines.synthesis.examples import exemplary_slogans
from pipelines.synthesis.prompts import PromptBuilder
from pipelines.text.counted import counted
from scripts.core import endpoints
from scripts.core.asked import Asked, columns, in_words, missing_in_words
from scripts.core.faults import input_errors
from scripts.core.settings import ProposeSettings, Recipe, SynthesizeSettings
from scripts.hub.hub import Hub
from scripts.teaching import proposals, teachers
from scripts.teaching.examples import Examples, rows_of_people
from scripts.teaching.prompts import prompt_builder

#: Prompts whose length is measured; the others are taken to be like them.
MEASURED = 200
#: Tokens of a proposed product or value with its quotes, and of the name of a list, typically.
ITEM_TOKENS, JSON_FRAME = 9, 6
#: Tokens of a line of copy of ours, typically: some 20 characters, a token for each one or two.
LINE_TOKENS = 18


@dataclass(frozen=True)
class Estimate:
    """The requests, tokens and cost of a run that has not begun.

    Attributes:
        model: who would be asked, and where.
        wanted: rows, in words.
        requests: for one attempt at each pair that is needed if every line is accepted.
        most_requests: if no line is ever accepted; retries come on top.
        input_tokens, output_tokens: of those requests, about.
        price: USD per million tokens, or None where none is known.
        limits: the settings `max_…` that are set.
        missing: what the teacher lacks before it can be asked, each with its next step.
    """

    model: str
    wanted: str
    requests: int
    most_requests: int
    input_tokens: int
    output_tokens: int
    price: Price | None
    limits: dict[str, Any]
    missing: tuple[str, ...] = ()

    @property
    def usd(self) -> float | None:
        return self.price.usd(self.input_tokens, self.output_tokens) if self.price else None

    def table(self) -> str:
        """In columns, for people."""
        worst_in, worst_out = (
            round(tokens * self.most_requests / self.requests) for tokens in (self.input_tokens, self.output_tokens)
        )
        cost = "unknown; give `synthesize.teacher.price`"
        if self.usd == 0:
            cost = "none: the teacher runs on this machine"
        elif self.price and self.usd is not None:
            worst = self.price.usd(worst_in, worst_out)
            cost = f"about {self.usd:.2f} USD if every line is accepted, {worst:.2f} at most"
            cost += f" ({self.price.input:g} in, {self.price.output:g} out, per million tokens)"
        requests = f"{self.requests:,}"
        tokens = f"about {self.input_tokens:,} in, {self.output_tokens:,} out"
        if self.most_requests > self.requests:
            requests += f" if every line is accepted, {self.most_requests:,} at most"
            tokens += f"; {worst_in:,} in, {worst_out:,} out at most"
        return columns(
            {
                "teacher": self.model,
                "rows": self.wanted,
                "requests": f"{requests}, retries not counted",
                "tokens": tokens,
                "cost": cost,
                "limits": in_words(self.limits),
                "missing": missing_in_words(self.missing),
            }
        )


def of_pairs(hub: Hub, pairs: HfUri, adapter: HfUri | None, recipe: Recipe) -> Estimate:
    """The estimate for a pinned dataset with config `pairs`."""

    settings = recipe.synthesize or SynthesizeSettings()
    examples = None if adapter else Examples.find(hub, settings.examples_from)
    people = rows_of_people(hub, pairs)
    prompts = prompt_builder(hub, settings, examples, people, recipe.seed)
    planned: Sequence[dict[str, Any]] = list(hub.rows(pairs, "pairs"))
    found = estimate(planned, prompts, settings, adapter.to_uri() if adapter else "", recipe.seed)
    missing = endpoints.missing(settings, teachers.PLACE, local_hub=hub.is_local)
    if not (adapter or settings.teacher.base_url):
        missing = (f"There is no teacher → {teachers.NAME_ONE}", *missing)
    return replace(found, missing=missing)


def of_recipe(recipe: Recipe, *, local_hub: bool) -> Estimate:
    """The estimate for a release that has not begun: its pairs are planned as they will be, from the taxonomy.

    Args:
        local_hub: see `endpoints.key_for`.

    Raises:
        HanjulError: the recipe synthesises nothing, or plans more pairs than there are.
    """

    settings, pairs = recipe.synthesize, recipe.pairs
    if settings is None or pairs is None:
        raise HanjulError("The recipe synthesises nothing", "synthesize", "leave out --dry-run")
    adapter = "" if settings.teacher.base_url else recipe.train.repo
    # slogans stand for all examples: what is drawn from is not imported yet
    prompts = PromptBuilder(
        0 if adapter else settings.candidates, settings.examples, (tuple(exemplary_slogans()),), recipe.seed
    )
    with input_errors("pairs"):
        planned = plan_pairs(load_taxonomy(), load_craft(), pairs.n, values_max=pairs.values_max, seed=recipe.seed)
    found = estimate(planned, prompts, settings, adapter, recipe.seed)
    return replace(found, missing=endpoints.missing(settings, teachers.PLACE, local_hub=local_hub))


def of_proposals(settings: ProposeSettings, *, local_hub: bool) -> Asked:
    """The estimate for proposals of products and values.

    Args:
        local_hub: see `endpoints.key_for`.
    """
    place, teacher = proposals.PLACE, settings.teacher
    requests, tokens_in, tokens_out = _proposing(settings)
    missing = endpoints.missing(settings, place, local_hub=local_hub)
    if not teacher.base_url:
        missing = (f"Proposals need a teacher at an endpoint ({place}) → name its `base_url` and `model`", *missing)
    return Asked(
        who="proposals",
        model=f"{teacher.model} at {teacher.base_url}" if teacher.base_url else "none",
        what=f"{settings.products} products for each category and {settings.values} values of each kind for them",
        requests=requests,
        most_requests=requests,
        fewest="",
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        most_output_tokens=round(tokens_out / requests),
        price=endpoints.price_of(settings),
        place=place,
        limits=endpoints.limits_of(settings),
        missing=missing,
    )


def _proposing(settings: ProposeSettings) -> tuple[int, int, int]:
    """(requests, tokens in, tokens out), if every product that the teacher proposes is new."""

    categories = load_taxonomy()
    products = len(categories) * settings.products
    first = categories[0]
    questions = {
        "product": {"category": first.name, "there": first.products},
        "value": {"category": first.name, "product": first.products[0]},
    }
    prompts = {
        kind: typical_input_tokens([{"content": prompt_of(kind, questions[kind], count)}])  # type: ignore[arg-type]
        for kind, count in (("product", settings.products), ("value", settings.values))
    }
    tokens_in = len(categories) * prompts["product"] + products * prompts["value"]
    tokens_out = products * (ITEM_TOKENS + (ITEM_TOKENS * settings.values + JSON_FRAME) * len(KINDS))
    return len(categories) + products, tokens_in, tokens_out


def estimate(
    planned: Sequence[dict[str, Any]], prompts: Any, settings: SynthesizeSettings, adapter: str, seed: int
) -> Estimate:
    """The estimate for planned pairs; pure."""

    teacher = settings.teacher
    first = min(settings.n or len(planned), len(planned))  # pairs of the first round
    attempts = settings.attempts if settings.n else 1
    measured = random.Random(seed).sample(planned, min(MEASURED, len(planned)))
    prompt = sum(typical_input_tokens(prompts.prompt(pair)[0]) for pair in measured) / len(measured)
    # a tuned teacher is asked for each line alone; else all lines of a pair come in one answer
    prompts = settings.candidates if adapter else 1
    answer = (LINE_TOKENS + (0 if adapter else JSON_TOKENS_PER_LINE)) * settings.candidates
    answer += 0 if adapter else JSON_TOKENS
    return Estimate(
        adapter or (f"{teacher.model} at {teacher.base_url}" if teacher.base_url else "none"),
        f"{settings.n:,} accepted"
        if settings.n
        else f"{counted(settings.candidates, 'line')} for each of {counted(len(planned), 'pair')}",
        first * prompts,
        (len(planned) if settings.n else first) * attempts * prompts,
        round(first * prompts * prompt),
        first * answer,
        endpoints.price_of(settings),
        endpoints.limits_of(settings),
    )
