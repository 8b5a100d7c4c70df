"""What visitors prefer, as a dataset has it in config `feedback`: measured by the limits of a release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from pipelines.feedback.pairs import Pair, Tally, check_pairs
from pipelines.filters.limits import Limits
from scripts.hub.hub import Hub

CONFIG = "feedback"
#: What became of the votes when they were imported.
COUNTS = "feedback/counts.json"


@dataclass(frozen=True)
class Visitors:
    """Preferences for a release.

    Attributes:
        pairs: those that break no rule.
        tally: the votes that they follow from, and how many pairs they are.
        rejected: reason -> pairs.
    """

    pairs: list[Pair]
    tally: Tally
    rejected: dict[str, int]


def of_release(hub: Hub, raw: HfUri, kept: Sequence[Mapping[str, Any]], limits: Limits) -> Visitors | None:
    """What visitors prefer; None where no votes were imported.

    Args:
        raw: pinned dataset.
        kept: rows of the release, whose test split nobody may learn.

    Raises:
        HanjulError: the counts of the import are gone.
    """
    if CONFIG not in hub.config_names(raw):
        return None
    said = hub.text(raw, COUNTS)
    if not said:
        what = f"Config {CONFIG} lacks the counts of its import ({COUNTS})"
        raise HanjulError(what, raw.to_uri(), "import the votes again with `hanjul import`")
    counts = json.loads(said)
    pairs, rejected = check_pairs(hub.rows(raw, CONFIG).to_list(), kept, limits)
    return Visitors(pairs, Tally(counts["likes"], counts["dislikes"], counts["edits"], len(pairs)), rejected)
