"""All filters one after the other: rules, then the gate for lines of models, then the selection among the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.filters import gate, selection
from pipelines.filters.apply_rules import RULE_MODULES, apply_rules
from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.selection import Decision, SimilarPair
from pipelines.text.tidy import tidy_row

#: Of the filters' behaviour: with another one `hanjul filter` goes over finished releases again. Raise it with a change
#: after which other rows are kept; `tests/pipelines/filters/test_golden.py` fails where that was forgotten. It is
#: no digest of the code, so that tidying the code up leaves released versions valid.
VERSION = 9

Row = dict[str, Any]

#: Every reason by its key, in the order in which they are looked for. The selection looks again for two of the rules: a
#: line may be `contaminated` by our own test split, and its opening or ending `template` by the other lines.
REASONS: dict[str, Reason] = {
    reason.key: reason
    for reason in (
        *(rule.REASON for rule in RULE_MODULES),
        gate.HELD_OUT,
        gate.JUDGE,
        selection.NEAR_DUPLICATE,
        selection.OUTRANKED,
    )
}

#: No rule rejects these lines: they stand in config `candidates`, the others in `rejected`.
CANDIDATE_REASONS = frozenset({gate.HELD_OUT.key, gate.JUDGE.key, selection.OUTRANKED.key})


def filter_rows(rows: Sequence[Row], limits: Limits) -> tuple[list[Row], list[Row]]:
    """Tidy rows and split them into those to keep and those that a filter rejects.

    Args:
        rows: `raw` rows; where the limits are gated, synthesised ones have `scores` with `sense`.

    Returns:
        (kept, rejected), both in the order of `rows`, with `group_id`; rejected rows have `reason` and `evidence` too,
        and outranked ones `place`.

    Raises:
        ValueError: a row without the score that the gate asks for.
    """
    passed, by_rules = apply_rules(rows, limits)
    kept, rejected = gate_and_select(passed, limits)
    order = {id_: place for place, id_ in enumerate(tidy_row(row)["id"] for row in rows)}
    return kept, sorted([*by_rules, *rejected], key=lambda row: order[row["id"]])


def gate_and_select(
    rows: Sequence[Row], limits: Limits, similar: Sequence[SimilarPair] = ()
) -> tuple[list[Row], list[Row]]:
    """(kept, rejected) of tidied rows that break no rule.

    Args:
        similar: see `pipelines.filters.selection.select`; places among `rows`.
    """
    shut = [gate.check(row, limits) for row in rows]
    worthy = [place for place, why in enumerate(shut) if why is None]
    moved = {place: number for number, place in enumerate(worthy)}
    pairs = [(moved[left], moved[right], how) for left, right, how in similar if left in moved and right in moved]
    selected = selection.select([rows[place] for place in worthy], limits, pairs)
    decisions = [Decision(*(why or ("", "")), "") for why in shut]
    for place, decision in zip(worthy, selected, strict=True):
        decisions[place] = decision
    kept, rejected = [], []
    for row, decision in zip(rows, decisions, strict=True):
        if decision.reason:
            rejected.append(row | decision._asdict())
        else:
            kept.append(row | {"group_id": decision.group_id})
    return kept, rejected
