"""All filters one after the other: rules, then the judge's scores, then the selection among what is still in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.filters import selection, thresholds
from pipelines.filters.apply_rules import RULE_MODULES, apply_rules
from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.selection import Decision, SimilarPair
from pipelines.text.tidy import tidy_row

#: Of the filters' behaviour: with another one `hanjul filter` goes over finished releases again. Raise it with a change
#: after which other rows are kept; `tests/pipelines/filters/test_golden.py` fails where that was forgotten. It is
#: no digest of the code, so that tidying the code up leaves released versions valid.
VERSION = 5

Row = dict[str, Any]

#: Every reason by its key, in the order in which they are looked for. The selection looks again for two of the rules: a
#: line may be `contaminated` by our own test split, and its opening or ending `template` by the other lines.
REASONS: dict[str, Reason] = {
    reason.key: reason
    for reason in (
        *(rule.REASON for rule in RULE_MODULES),
        thresholds.REASON,
        selection.NEAR_DUPLICATE,
        selection.OUTRANKED,
    )
}


def filter_rows(rows: Sequence[Row], limits: Limits) -> tuple[list[Row], list[Row]]:
    """Tidy rows and split them into those to keep and those that a filter rejects.

    Args:
        rows: `raw` rows, with `scores` unless the limits say that there are none.

    Returns:
        (kept, rejected), both in the order of `rows`, with `group_id`; rejected rows have `reason` and `evidence` too,
        and outranked ones `place`.

    Raises:
        ValueError: a row without the score that a threshold or the ranking asks for.
    """
    passed, by_rules = apply_rules(rows, limits)
    kept, rejected = judge_and_select(passed, limits)
    order = {id_: place for place, id_ in enumerate(tidy_row(row)["id"] for row in rows)}
    return kept, sorted([*by_rules, *rejected], key=lambda row: order[row["id"]])


def judge_and_select(
    rows: Sequence[Row], limits: Limits, similar: Sequence[SimilarPair] = ()
) -> tuple[list[Row], list[Row]]:
    """(kept, rejected) of tidied rows that break no rule.

    Args:
        similar: see `pipelines.filters.selection.select`; places among `rows`.
    """
    judged = [thresholds.check(row, limits) for row in rows]
    worthy = [place for place, evidence in enumerate(judged) if evidence is None]
    moved = {place: number for number, place in enumerate(worthy)}
    pairs = [(moved[left], moved[right], how) for left, right, how in similar if left in moved and right in moved]
    selected = selection.select([rows[place] for place in worthy], limits, pairs)
    decisions = [Decision(thresholds.REASON.key, evidence or "", "") for evidence in judged]
    for place, decision in zip(worthy, selected, strict=True):
        decisions[place] = decision
    kept, rejected = [], []
    for row, decision in zip(rows, decisions, strict=True):
        if decision.reason:
            rejected.append(row | decision._asdict())
        else:
            kept.append(row | {"group_id": decision.group_id})
    return kept, rejected
