"""Rules, which look at one row alone and need no score: which there are, and the first that a row breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.rules import (
    claim,
    contaminated,
    format,
    leak,
    length,
    personal,
    profanity,
    refusal,
    script,
    slogan,
    template,
)
from pipelines.filters.rules.claims import wording as claims_wording
from pipelines.filters.rules.cliches import wording as cliches_wording
from pipelines.text import morphemes
from pipelines.text.tidy import tidy, tidy_row

Row = dict[str, Any]
#: Evidence that a tidied row breaks the rule, or None.
Check = Callable[[Mapping[str, Any], Limits], str | None]

#: In the order in which they are looked for.
RULE_MODULES = (refusal, format, length, script, personal, profanity, contaminated, leak, claim, slogan, template)
#: Reason -> check.
RULES: dict[str, Check] = {rule.REASON.key: rule.check for rule in RULE_MODULES}


def warm_up() -> None:
    """Load what the first row would wait for: Kiwi, and the wordings of claims and clichés, fitted in some seconds."""
    morphemes.warm_up()
    claims_wording.wording()
    cliches_wording.wording()


def first_rule(row: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    """(reason, evidence) of the first rule that a `raw` row breaks once it is tidied; two empty strings if none."""
    return _first_rule(tidy_row(dict(row)), limits)


def _first_rule(tidied: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    for reason, check in RULES.items():
        evidence = check(tidied, limits)
        if evidence is not None:
            return reason, evidence
    return "", ""


def check_row(row: Mapping[str, Any], limits: Limits) -> tuple[str, str, str]:
    """(tidied line, reason, evidence) of a row that may lack its source, and whose line may be null."""
    line = tidy(row["ad_copy"] or "")
    return line, *_first_rule({"source": "synthesised", **row, "ad_copy": line}, limits)


def apply_rules(rows: Sequence[Row], limits: Limits) -> tuple[list[Row], list[Row]]:
    """(rows that break no rule, rejected rows), both tidied and in the order of `rows`."""
    passed, rejected = [], []
    for row in map(tidy_row, rows):
        reason, evidence = _first_rule(row, limits)
        if reason:
            rejected.append(row | {"reason": reason, "evidence": evidence, "group_id": ""})
        else:
            passed.append(row)
    return passed, rejected
