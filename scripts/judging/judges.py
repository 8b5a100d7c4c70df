"""The judges of a dataset: the base model's likelihoods and, where a recipe names one, an LLM; each calibrated."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri

from pipelines.rows import split_of
from scripts.core import log
from scripts.core.errors import HanjulError
from scripts.core.faults import refused
from scripts.core.settings import EvaluateSettings, Recipe
from scripts.hub.hub import Hub
from scripts.models import models

if TYPE_CHECKING:
    from model_card.judging.contrast_set import Contrast
    from model_card.judging.judge import Judge
    from pipelines.likelihood.scorer import Scorable, Scorer


@dataclass(frozen=True)
class Material:
    """What judges of a dataset are made from: rows that people wrote, those of no judge's own kind.

    Attributes:
        examples: rows of the train split that a likelihood judge is shown.
        corpus: lines of the train split.
        contrasts: the contrast set, of held-out rows and real slogans.
    """

    examples: tuple[Scorable, ...]
    corpus: tuple[str, ...]
    contrasts: tuple[Contrast, ...]


def material(rows: Sequence[Any], where: str, settings: EvaluateSettings, seed: int) -> Material:
    """What judges are made from.

    Args:
        rows: with product, values, ad_copy and source; synthesised ones are passed over, a judge must not learn from
            what it will judge.
        where: names the rows in errors.

    Raises:
        HanjulError: too few rows.
    """
    from model_card.judging.contrast_set import build_contrast_set
    from pipelines.likelihood.scorer import SHOTS, STRANGERS
    from pipelines.synthesis.examples import exemplary_slogans

    people = [row for row in rows if row.get("source") != "synthesised" and row["values"]]
    # In an order of their own: the same rows, wherever they come from, make the same judge, and scores that are kept.
    trusted = sorted(people, key=lambda row: (row["product"], list(row["values"]), row["ad_copy"]))
    train, validation, test = (
        [row for row in trusted if split_of(row["product"]) == split] for split in ("train", "validation", "test")
    )
    if len(train) < SHOTS + STRANGERS:
        raise HanjulError(
            f"{len(train)} rows of the train split are too few for a judge, which is shown {SHOTS + STRANGERS}",
            where,
            "import more rows: some hundreds, over many products",
        )
    draw = random.Random(seed)
    examples = draw.sample(train, SHOTS + STRANGERS)
    wanted = settings.calibration_rows
    drawn = draw.sample(test, min(wanted, len(test)))
    # An adapter's best checkpoint may have been chosen by the validation rows, so those only fill up.
    drawn += draw.sample(validation, min(wanted - len(drawn), len(validation)))
    with refused(where):
        contrasts = build_contrast_set(drawn, exemplary_slogans(), seed)
    return Material(tuple(examples), tuple(row["ad_copy"] for row in train), tuple(contrasts))


def likelihood(
    scorer: HfUri,
    given: Material,
    settings: EvaluateSettings,
    seed: int,
    *,
    base: HfUri | None = None,
    trained: bool = False,
) -> Judge:
    """The judge whose scores are a language model's likelihoods, calibrated.

    Args:
        scorer: pinned base model, or adapter.
        base: pinned, of an adapter.
        trained: it was trained as a judge.
    """
    from model_card.judging.judge import calibrated
    from scripts.judging.score_cache import KeptScores

    def load() -> Scorer:
        from pipelines.likelihood.log_probabilities import Continuations
        from pipelines.likelihood.scorer import Scorer

        loaded = models.load_adapter(scorer, base) if base else models.load_base(scorer)
        return Scorer(Continuations(*loaded), given.examples, given.corpus, trained=trained)

    name = f"{scorer.id}@{str(scorer.revision)[:7]}"
    log.log(f"judge: {name}, likelihood, calibrated on {len(given.contrasts)} couples")
    with refused("calibration"):
        raw = KeptScores(load, (scorer, base), given)
        return calibrated(
            name, "likelihood", "likelihood", raw, given.contrasts, bootstrap=settings.bootstrap, seed=seed
        )


@contextmanager
def llm(
    hub: Hub, settings: EvaluateSettings, run: Mapping[str, Any], given: Material, seed: int, teacher: str | None = None
) -> Iterator[tuple[Judge, Any]]:
    """The LLM judge that a recipe names, calibrated, for as long as the block runs; and what it has used.

    Args:
        run: what its budget is for; see `endpoint_judge.opened`.
        teacher: the model that wrote.

    Raises:
        HanjulError: see `endpoint_judge.opened`.
    """
    from model_card.judging.judge import calibrated
    from scripts.judging import llm_judge

    assert settings.judge
    with llm_judge.opened(hub, settings.judge, run, teacher=teacher) as found, refused("calibration"):
        judge = calibrated(
            found.name,
            "geval",
            found.scoring,
            found.raw,
            given.contrasts,
            samples=found.samples,
            prefers=found.prefers,
            bootstrap=settings.bootstrap,
            seed=seed,
        )
        yield judge, found.usage


@contextmanager
def opened(
    hub: Hub, scorer: HfUri, votes: HfUri | None, recipe: Recipe, given: Material
) -> Iterator[tuple[list[Judge], Callable[[], dict[str, Any]]]]:
    """The judges of a recipe, calibrated, for as long as the block runs, and what they have used.

    An LLM, where the recipe names one, stands before the likelihoods and leads.

    Args:
        scorer: pinned model whose likelihoods judge.
        votes: pinned dataset of people's votes, which every judge is set beside.
    """
    from model_card.comparison.agreement import outcomes, people
    from scripts.labelling import published

    settings, seed = recipe.evaluate, recipe.seed
    cast = published.read(hub, votes) if votes else []
    with ExitStack() as stack:
        found: list[Judge] = []
        usage: Callable[[], dict[str, Any]] = dict
        if settings.judge:
            budget = recipe.model_dump(include={"dataset", "version", "seed"})
            teacher = recipe.synthesize.teacher.model if recipe.synthesize else None
            first, usage = stack.enter_context(llm(hub, settings, budget, given, seed, teacher))
            found.append(first)
        base, trained = models.base_of(hub, scorer) if models.is_adapter(scorer) else None, models.is_judge(hub, scorer)
        found.append(likelihood(scorer, given, settings, seed, base=base, trained=trained))
        for one in found if cast else []:
            beside = people(cast, outcomes(one, cast), bootstrap=settings.bootstrap, seed=seed)
            one.facts = replace(one.facts, people=beside)
        yield found, usage
