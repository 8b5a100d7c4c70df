"""Filters: one file, one reason. A rejected row keeps the first reason found, with its evidence.

Three kinds, in this order: rules look at a row alone and need no score; the judge needs its scores; the selection needs
all rows that are still in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.filters import (
    claim,
    contaminated,
    format,
    leak,
    length,
    personal,
    profanity,
    refusal,
    script,
    selection,
    slogan,
    template,
    thresholds,
)
from pipelines.filters.limits import Limits
from pipelines.filters.selection import Pair, Verdict
from pipelines.text.tidy import tidy, tidy_row

#: Of the filters' code; raise it with a change after which rows would be parted otherwise.
VERSION = 1

RowCheck = Callable[[Mapping[str, Any], Limits], str | None]
Row = dict[str, Any]

RULES: dict[str, RowCheck] = {
    "refusal": refusal.check,
    "format": format.check,
    "length": length.check,
    "script": script.check,
    "personal": personal.check,
    "profanity": profanity.check,
    "contaminated": contaminated.check,
    "leak": leak.check,
    "claim": claim.check,
    "slogan": slogan.check,
    "template": template.check,
}
#: Every reason, in the order in which they are looked for. The selection looks again for two of the rules: a line may
#: be `contaminated` by our own test split, and its opening or ending `template` by the other lines.
REASONS: tuple[str, ...] = (*RULES, "judge", "near_duplicate", "outranked")


def filter_rows(rows: Sequence[Row], limits: Limits) -> tuple[list[Row], list[Row]]:
    """Tidy rows and part them by every filter.

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


def apply_rules(rows: Sequence[Row], limits: Limits) -> tuple[list[Row], list[Row]]:
    """(tidied rows that break no rule, rejected rows)."""
    passed, rejected = [], []
    for row in map(tidy_row, rows):
        reason, evidence = first_rule(row, limits)
        if reason:
            rejected.append(row | {"reason": reason, "evidence": evidence, "group_id": ""})
        else:
            passed.append(row)
    return passed, rejected


def judge_and_select(rows: Sequence[Row], limits: Limits, alike: Sequence[Pair] = ()) -> tuple[list[Row], list[Row]]:
    """(kept, rejected) of tidied rows that break no rule.

    Args:
        alike: see `pipelines.filters.selection.select`; places among `rows`.
    """
    judged = [thresholds.check(row, limits) for row in rows]
    worthy = [place for place, evidence in enumerate(judged) if evidence is None]
    moved = {place: number for number, place in enumerate(worthy)}
    pairs = [(moved[left], moved[right], how) for left, right, how in alike if left in moved and right in moved]
    selected = selection.select([rows[place] for place in worthy], limits, pairs)
    verdicts = [Verdict("judge", evidence or "", "") for evidence in judged]
    for place, verdict in zip(worthy, selected, strict=True):
        verdicts[place] = verdict
    kept, rejected = [], []
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.reason:
            rejected.append(row | verdict._asdict())
        else:
            kept.append(row | {"group_id": verdict.group_id})
    return kept, rejected


def verdict(row: Mapping[str, Any], limits: Limits) -> tuple[str, str, str]:
    """(tidied line, reason, evidence) of a row that may lack its source, and whose line may be null."""
    line = tidy(row["ad_copy"] or "")
    return line, *first_rule({"source": "synthesised", **row, "ad_copy": line}, limits)


def first_rule(row: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    """(reason, evidence) of the first rule that a `raw` row breaks once it is tidied; two empty strings if none."""
    tidied = tidy_row(dict(row))
    for reason, check in RULES.items():
        evidence = check(tidied, limits)
        if evidence is not None:
            return reason, evidence
    return "", ""
