"""The judge that a Space carries: fitted on the graded lines and the corpus once, kept on this machine by content."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from model_card.judging.graded import GRADED, GradedLine, graded_lines, is_usable, of_part
from model_card.judging.sense.classifier import agreed
from model_card.judging.sense.fit_published import VERSION, features_of, fit_judge, fitted_on, tell_usable
from model_card.judging.sense.published import PublishedJudge, read_judge, write_judge
from pipelines.corpus import corpus_digest
from pipelines.locks import locked
from scripts.core import env
from scripts.core.files import digest
from scripts.core.fingerprint import code_digest
from scripts.core.log import log
from scripts.judging.sense_judge import corpus_kinship


def write_published_judge(path: Path) -> dict[str, Any]:
    """Write the judge to a file; fits it where this machine has not yet.

    Returns:
        Its facts: `auc` with `low` and `high` on `lines` test lines by models, `usable` of them, and `made_of`.
    """
    kept = _kept()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with locked(kept.with_suffix(".lock"), "judge of the Space"):
        if not kept.exists():
            log("space: fitting the judge that the page carries, once on this machine: about a minute")
            half = kept.with_suffix(f".{os.getpid()}.npz")
            write_judge(_fitted(), half)
            half.replace(kept)  # a file that is there is whole
    shutil.copyfile(kept, path)
    return dict(read_judge(path).facts)


def identity() -> str:
    """What pins the judge, for a stage that ships it."""
    return f"sha256:{sha256(f'{VERSION} {digest(GRADED)} {corpus_digest()}'.encode()).hexdigest()}"


def _kept() -> Path:
    how = code_digest("model_card.judging.sense.fit_published", "scripts.judging.published_judge")
    key = sha256(f"{how} {identity()}".encode()).hexdigest()[:16]
    return env.data_dir() / "cache" / "published-judge" / f"{key}.npz"


def _fitted() -> PublishedJudge:
    kinship, lines = corpus_kinship(), graded_lines()
    fit, test = fitted_on(of_part(lines, "fit")), _tested(of_part(lines, "test"))
    judge = fit_judge(kinship, features_of(kinship, fit), fit, {})
    found = tell_usable(np.array(judge.log_odds([line.row for line in test])), test)
    facts = {
        "auc": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "lines": len(test),
        "usable": sum(map(is_usable, test)),
        "made_of": identity(),
    }
    return PublishedJudge(judge.kinship, judge.slopes, judge.intercept, facts)


def _tested(lines: list[GradedLine]) -> list[GradedLine]:
    return [lines[place] for place in agreed(lines)]
