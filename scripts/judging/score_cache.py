"""Likelihood scores that are kept: a line that a model has scored once, it does not score again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from huggingface_hub import HfUri

from model_card.judging.judge import Raw
from pipelines.endpoint.spending.answer_store import Store, key_of
from pipelines.likelihood.scorer import Scorer
from pipelines.progress import Progress
from pipelines.rows import Scorable
from scripts.core import env
from scripts.core.fingerprint import code_digest
from scripts.judging.calibration_data import CalibrationData

#: Lines that are scored before their scores are kept.
CHUNK = 512


class KeptScores:
    """Raw scores by a language model's likelihoods: a `model_card.judging.judge.RawJudge`.

    Args:
        load: gives the scorer; called once, at the first line that was never scored.
        scorer: pinned model behind it, and its base, if it is an adapter.
        data: what it is shown.
    """

    def __init__(self, load: Callable[[], Scorer], scorer: tuple[HfUri, HfUri | None], data: CalibrationData) -> None:
        shown = json.dumps([list(map(_content, data.examples)), sorted(data.corpus)], ensure_ascii=False)
        named = " ".join(uri.to_uri() for uri in scorer if uri)
        how = code_digest("pipelines.likelihood.scorer", "pipelines.likelihood.log_probabilities")
        self._identity = f"likelihood {how} {named} {sha256(shown.encode()).hexdigest()}"
        self._load = load
        self._scorer: Scorer | None = None

    def __call__(self, rows: Sequence[Scorable], /) -> list[Raw | None]:
        return [Raw(scores) for scores in kept_scores(self._identity, rows, self._score)]

    def _score(self, rows: Sequence[Scorable], advance: Callable[[float], None]) -> list[dict[str, float]]:
        self._scorer = self._scorer or self._load()
        return self._scorer.scores(rows, advance)


def kept_scores(
    identity: str,
    rows: Sequence[Scorable],
    score: Callable[[Sequence[Scorable], Callable[[float], None]], list[dict[str, float]]],
) -> list[dict[str, float]]:
    """Scores of rows, in order, each computed once by what `identity` names and kept on this machine.

    Args:
        score: is given rows that were never scored, and is to call its second argument with the share done, 0..1.
    """
    keys = [key_of(identity, _content(row)) for row in rows]
    store = Store(env.answers_path())
    try:
        known = {key: store.answer(key) for key in keys}
        missing = {key: row for key, row in zip(keys, rows, strict=True) if known[key] is None}
        with Progress("judge", len(missing), unit="lines") as progress:
            for start in range(0, len(missing), CHUNK):
                chunk = list(missing)[start : start + CHUNK]

                def advance(share: float, before: int = start, size: int = len(chunk)) -> None:
                    progress.reach(round(before + share * size))

                for key, scores in zip(chunk, score([missing[key] for key in chunk], advance), strict=True):
                    known[key] = scores
                    store.keep(key, scores)
    finally:
        store.close()
    return [known[key] for key in keys]


def _content(row: Scorable) -> dict[str, Any]:
    """What is scored of a row."""
    return {"product": row["product"], "values": list(row["values"]), "ad_copy": row["ad_copy"]}
