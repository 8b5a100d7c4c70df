"""Filters: one file, one reason. A rejected row keeps the first reason found, with its evidence.

Order: the rules, which need no score; the thresholds; then what needs all rows that are still in, so that a line counts
as duplicate or outranked only against one that will be released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.filters import duplicate, format, leak, length, outranked, refusal, scores, script
from pipelines.filters.limits import Limits
from pipelines.filters.tidy import tidy_row

RowCheck = Callable[[Mapping[str, Any], Limits], str | None]
RowsCheck = Callable[[Sequence[Mapping[str, Any]], Limits], list[str | None]]

RULES: dict[str, RowCheck] = {
    "refusal": refusal.check,
    "format": format.check,
    "length": length.check,
    "script": script.check,
    "leak": leak.check,
}
THRESHOLDS: dict[str, RowCheck] = {"pv": scores.check_pv, "naturalness": scores.check_naturalness}
ACROSS: dict[str, RowsCheck] = {"duplicate": duplicate.check, "outranked": outranked.check}

#: Every reason, in the order in which they are looked for.
REASONS: tuple[str, ...] = (*RULES, *THRESHOLDS, *ACROSS)


def filter_rows(
    rows: Sequence[dict[str, Any]], limits: Limits, reasons: Sequence[str] = REASONS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tidy rows and part them.

    Args:
        rows: `raw` rows; with `scores` when a threshold or ranking is among the reasons.
        reasons: which filters to apply; their order is always that of `REASONS`. `tuple(RULES)` first, scoring of what
            is left, then the others gives the same result as all at once and scores fewer rows.

    Returns:
        (kept, rejected), both in the order of `rows`; rejected rows have `reason` and `evidence` besides.

    Raises:
        ValueError: an unknown reason, or a row without the score that a threshold asks for.
    """
    marked = _mark([tidy_row(row) | {"reason": "", "evidence": ""} for row in rows], limits, reasons)
    kept = [row for row in marked if not row["reason"]]
    rejected = [row for row in marked if row["reason"]]
    return [{name: row[name] for name in row if name not in ("reason", "evidence")} for row in kept], rejected


def first_rule(row: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    """(reason, evidence) of the first rule that a `raw` row breaks once it is tidied; two empty strings if none."""
    tidied = tidy_row(dict(row))
    for reason, check in RULES.items():
        evidence = check(tidied, limits)
        if evidence is not None:
            return reason, evidence
    return "", ""


def _mark(rows: Sequence[dict[str, Any]], limits: Limits, reasons: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with `reason` and `evidence` filled where a filter rejects; rows with a reason are left as they are."""
    if unknown := set(reasons) - set(REASONS):
        raise ValueError(f"no such rejection reason: {', '.join(sorted(unknown))}; there are {', '.join(REASONS)}")
    marked = list(rows)
    for reason in (name for name in REASONS if name in reasons):
        still_in = [index for index, row in enumerate(marked) if not row["reason"]]
        found = _check(reason, [marked[index] for index in still_in], limits)
        for index, evidence in zip(still_in, found, strict=True):
            if evidence is not None:
                marked[index] = marked[index] | {"reason": reason, "evidence": evidence}
    return marked


def _check(reason: str, rows: Sequence[dict[str, Any]], limits: Limits) -> list[str | None]:
    if reason in ACROSS:
        return ACROSS[reason](rows, limits)
    check = RULES.get(reason) or THRESHOLDS[reason]
    return [check(row, limits) for row in rows]
