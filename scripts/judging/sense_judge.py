"""The judge of sense: fitted on graded lines and the corpus, with a base model's hidden states; and its gate."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from hashlib import sha256
from typing import Any

import numpy as np
from huggingface_hub import HfUri

from model_card.judging.contrast_kinds import MODEL_MADE
from model_card.judging.contrast_set import Contrast, model_made
from model_card.judging.graded import GRADED, graded_lines, of_part
from model_card.judging.judge import Judge, Raw, calibrated
from model_card.judging.sense.classifier import VERSION, Features, Sense
from model_card.judging.sense.fit_kinship import fit_kinship
from model_card.judging.sense.gate import Gate, make_gate
from model_card.judging.sense.kinship import Kinship
from model_card.statistics import chance
from pipelines.corpus import corpus_digest, load_corpus
from pipelines.likelihood.hidden_states import mean_states
from pipelines.progress import Progress
from pipelines.rows import Scorable, split_of
from scripts.core.faults import input_errors
from scripts.core.files import digest
from scripts.core.fingerprint import code_digest
from scripts.core.log import log
from scripts.core.settings import CalibrationSettings, Recipe
from scripts.hub.hub import Hub
from scripts.judging.score_cache import kept_scores
from scripts.models import models


@dataclass(frozen=True)
class SenseScorer:
    """Log-odds that lines are usable: a `model_card.judging.judge.RawJudge`.

    Attributes:
        base: pinned model whose hidden states it reads.
        kinship, sense: fitted.
    """

    base: HfUri
    kinship: Kinship
    sense: Sense

    @property
    def name(self) -> str:
        return f"sense on {self.base.id}@{str(self.base.revision)[:7]}"

    def log_odds(self, rows: Sequence[Scorable]) -> list[float]:
        """Of each row, in order; what was scored before is not scored again."""
        load = cache(partial(models.load_base, self.base))  # once, and only where a row is new

        def score(new: Sequence[Scorable], advance: Callable[[float], None]) -> list[dict[str, float]]:
            found = self.sense.log_odds(_features(load(), self.kinship, new, advance))
            return [{"sense": float(value)} for value in found]

        kept = kept_scores(f"sense {identity()} {self.base.to_uri()}", rows, score)
        return [scores["sense"] for scores in kept]

    def __call__(self, rows: Sequence[Scorable], /) -> list[Raw | None]:
        return [Raw({"sense": value}) for value in self.log_odds(rows)] if rows else []


def make_sense_judge(
    hub: Hub, base: HfUri, contrasts: Sequence[Contrast], settings: CalibrationSettings, seed: int
) -> Judge:
    """The judge, calibrated on contrasts of the kind `model_made`; others say nothing to it.

    Its scores are no chances at even odds, as other judges' are, but those that a reader calls a line usable, few as
    these are among models' lines: what the card shows is to agree with what a reading finds.
    """
    scorer = _scorer(hub, base)
    with input_errors("calibration"):
        return calibrated(
            scorer.name,
            "classifier",
            "classifier",
            scorer,
            [contrast for contrast in contrasts if contrast.kind == MODEL_MADE],
            bootstrap=settings.bootstrap,
            seed=seed,
        )


def identity() -> str:
    """What pins the judge besides its base, for a stage that stands on it."""
    content = f"{VERSION} {digest(GRADED)} {corpus_digest()}"
    return f"sha256:{sha256(content.encode()).hexdigest()}"


def pinned_by(base: HfUri) -> dict[str, str]:
    """The inputs of a stage that stands on the gate: name -> what pins it."""
    return {"base": base.to_uri(), "judge of sense": identity()}


def open_gate(hub: Hub, base: HfUri, recipe: Recipe) -> Gate:
    """The gate that lines of models have to pass, with its threshold for the precision that the recipe wants.

    Args:
        base: pinned.
    """
    tested = [line for line in of_part(graded_lines(), "test") if line.kind == "model"]
    contrasts = list(model_made(tested, random.Random(recipe.seed), most=len(tested)))
    judge = make_sense_judge(hub, base, contrasts, recipe.evaluate, recipe.seed)
    scorer, calibration = _scorer(hub, base), judge.facts.calibration["sense"]
    chances, usable = chance(scorer.sense.held_out), scorer.sense.usable
    gate = make_gate(scorer.name, calibration, chances, usable, recipe.filter.min_precision, scorer.log_odds)
    shown = "shut" if gate.threshold is None else f"from {gate.threshold:.2f}"
    log(f"gate: AUC {calibration.auc.value:.2f} on lines that models wrote; {shown}: {gate.why}")
    return gate


@lru_cache(maxsize=1)  # for all stages of a run
def _scorer(hub: Hub, base: HfUri) -> SenseScorer:
    fit, kinship = of_part(graded_lines(), "fit"), corpus_kinship()
    return SenseScorer(base, kinship, Sense(_kept_features(hub, base, kinship, [line.row for line in fit]), fit))


@lru_cache(maxsize=1)
def corpus_kinship() -> Kinship:
    """That of the corpus' lines for products of the split `train`."""
    # Products of the train split: of the others the corpus holds the very lines that readers graded.
    corpus: list[Any] = [row for row in load_corpus() if split_of(row["product"]) == "train"]
    with Progress(f"judge: reading {len(corpus):,} lines of the corpus"):
        return fit_kinship(corpus)


def _features(
    loaded: tuple[Any, Any], kinship: Kinship, rows: Sequence[Scorable], advance: Callable[[float], None]
) -> Features:
    """Of rows, by a model and its tokenizer.

    Args:
        advance: called with the share done, 0..1.
    """
    done = 0

    def read(batch: int) -> None:
        nonlocal done
        done += batch
        advance(done / len(rows))

    hidden = mean_states(*loaded, rows, read)
    return Features(hidden.astype(np.float64), kinship.features(rows))


def _kept_features(hub: Hub, base: HfUri, kinship: Kinship, rows: Sequence[Scorable]) -> Features:
    """The features of the graded lines, read from the cache where this base was fitted before."""
    how = code_digest("pipelines.likelihood.hidden_states", "model_card.judging.sense.fit_kinship")
    content: list[Any] = [how, base.to_uri(), corpus_digest(), list(rows)]
    key = sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]
    path = hub.cache("sense") / f"{key}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Features(kept["hidden"].astype(np.float64), kept["kinship"])
    with Progress("judge: reading graded lines", len(rows), unit="lines") as progress:
        found = _features(models.load_base(base), kinship, rows, lambda share: progress.reach(round(share * len(rows))))
    half = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(half, hidden=found.hidden.astype(np.float32), kinship=found.kinship)
    half.replace(path)  # a file that is there is whole
    return found
