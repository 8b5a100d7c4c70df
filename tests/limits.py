"""Limits as the tests of filters, pipelines and cards use them."""

from __future__ import annotations

from typing import Any

from pipelines.filters.limits import Limits


def limits(**changes: Any) -> Limits:
    """Loose thresholds, with changes."""
    loose = {
        "min_chars": 4,
        "max_chars": 60,
        "min_pv": 0.5,
        "min_naturalness": 0.3,
        "keep_per_pair": 1,
        "trust_written": True,
        "max_similarity": 0.8,
        "max_eval_similarity": 0.6,
        "max_slogan_similarity": 0.6,
        "max_phrase_share": 0.005,
        "max_phrase_count": 10,
    }
    return Limits(**{**loose, **changes})


LIMITS = limits()
