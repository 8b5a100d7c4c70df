"""Limits as the tests of filters, pipelines and cards use them."""

from __future__ import annotations

from typing import Any

from pipelines.filters.limits import Limits
from pipelines.text.line_index import Lines

#: No slogans, which would meddle with lines of other tests, and similarities that lines of a few words do not reach.
LOOSE = {"max_similarity": 0.8, "max_eval_similarity": 0.6, "slogans": Lines(), "gated": True, "min_sense": 0.5}


def limits(**changes: Any) -> Limits:
    """Loose limits, with changes."""
    return Limits(**{**LOOSE, **changes})


LIMITS = limits()
