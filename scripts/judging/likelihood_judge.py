"""Judge lines by the likelihoods of a language model, calibrated on the contrast set of the dataset."""

from __future__ import annotations

from huggingface_hub import HfUri

from model_card.judging.judge import Judge, calibrated
from pipelines.likelihood.log_probabilities import Continuations
from pipelines.likelihood.scorer import Scorer
from scripts.core import log
from scripts.core.faults import input_errors
from scripts.core.settings import EvaluateSettings
from scripts.judging.calibration_data import CalibrationData
from scripts.judging.score_cache import KeptScores
from scripts.models import models


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
