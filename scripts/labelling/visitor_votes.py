"""Votes of visitors of the demo as votes on two lines, which judges can be set beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_card.comparison.agreement import OVERALL, Vote
from scripts.labelling.items import WrittenLine, make_item
from scripts.labelling.labelling_session import as_columns

#: All of them: nobody knows how many they are.
VISITORS = "방문자"


def as_votes(pairs: Sequence[Mapping[str, Any]], beside: Mapping[str, str]) -> list[Vote]:
    """A vote for each pair of a liked and a disliked line that stood beside each other.

    Others are no comparison that somebody made. Of an edit, its author would be the judge.

    Args:
        pairs: of config `feedback`.
        beside: id of a pair -> the day on which somebody saw both of its lines.
    """
    votes = []
    for pair in pairs:
        if pair["id"] not in beside:
            continue
        better, worse = (
            WrittenLine(pair["product"], tuple(pair["values"]), pair[side][0]["content"])
            for side in ("chosen", "rejected")
        )
        item = make_item(better, worse)
        votes.append(
            Vote(
                **as_columns(item),
                question=OVERALL,
                choice=item.side(better.line),
                voter=VISITORS,
                shown_first="",
                seconds=None,
                voted_at=f"{beside[pair['id']]}T00:00:00.000Z",
            )
        )
    return votes
