"""The votes of visitors: read, each counted once, and rejected where they break a rule.

Visitors are strangers, who may press a thousand times and write anything. So a vote counts once, however often it was
cast, and what breaks a rule is rejected like any row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.filters.apply_rules import first_rule
from pipelines.filters.limits import Limits
from pipelines.filters.rules.format import HASHTAG, LABEL, MARKUP, REMARK
from pipelines.preferences import WORSE
from pipelines.rows import make_row, normalise, pair_of
from pipelines.text.tidy import clean_value, tidy

KINDS = ("like", "dislike", "edit")
#: Columns of a feedback dataset that are read: of one text, of several, and all of them.
TEXTS = ("kind", "product", "line", "edited", "adapter", "revision")
LISTS = ("values", "others")
COLUMNS = (*TEXTS, *LISTS, "day")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: What speaks to a model and not to a reader.
INSTRUCTION = re.compile(
    r"(?:이전|앞선|위의?|기존|시스템)\s*(?:지시|명령|프롬프트|지침)|(?:지시|명령|지침|프롬프트)\S{0,3}\s*(?:무시|잊)"
    r"|ignore\s+(?:all|any|the|previous|above)\b|(?:system|developer)\s*(?:prompt|message)|<\|",
    re.I,
)


@dataclass(frozen=True)
class Vote:
    """A visitor's word on a line.

    Attributes:
        kind: one of `KINDS`.
        edited: what became of the line; empty unless it was edited.
        others: lines shown beside it.
        writer: adapter and revision that wrote the line.
        day: like 2026-11-28.
    """

    kind: str
    product: str
    values: tuple[str, ...]
    line: str
    edited: str
    others: tuple[str, ...]
    writer: str
    day: str

    @property
    def prompt(self) -> tuple[Any, ...]:
        return *pair_of(asdict(self)), self.writer


@dataclass(frozen=True)
class Counted:
    """The votes that count.

    Attributes:
        votes: each once.
        repeated: votes that were there already.
        rejected: reason -> votes: `malformed`, `instruction`, or the rule that is broken.
    """

    votes: tuple[Vote, ...]
    repeated: int
    rejected: Mapping[str, int]


def count_votes(rows: Iterable[Mapping[str, Any]], limits: Limits) -> Counted:
    """Read the rows of a feedback dataset.

    Args:
        rows: of `COLUMNS`, whose cells may hold anything.
    """
    rejected: Counter[str] = Counter()
    votes: dict[tuple[Any, ...], Vote] = {}
    repeated = 0
    for row in rows:
        vote = _parsed(row)
        if vote is None:
            rejected["malformed"] += 1
            continue
        key = (vote.kind, vote.line, vote.edited, *vote.prompt)
        if key in votes:
            repeated += 1
            vote = replace(votes[key], others=tuple(dict.fromkeys(votes[key].others + vote.others)))
        votes[key] = vote
    faults = [_fault(vote, limits) for vote in votes.values()]
    rejected.update(filter(None, faults))
    counted = tuple(vote for vote, fault in zip(votes.values(), faults, strict=True) if not fault)
    return Counted(counted, repeated, dict(rejected))


def _parsed(row: Mapping[str, Any]) -> Vote | None:
    """A vote; None where a cell holds something else or nothing."""
    if not all(isinstance(row.get(name), str) for name in TEXTS):
        return None
    if not all(isinstance(row.get(name), list | tuple) for name in LISTS):
        return None
    if not all(isinstance(text, str) for name in LISTS for text in row[name]):
        return None
    vote = Vote(
        row["kind"],
        normalise(row["product"]),
        tuple(value for value in map(clean_value, row["values"]) if value),
        tidy(row["line"]),
        tidy(row["edited"]) if row["kind"] == "edit" else "",
        tuple(map(tidy, row["others"])),
        f"{row['adapter']}@{row['revision']}",
        str(row.get("day"))[:10],  # a date, or a text
    )
    whole = vote.kind in KINDS and vote.product and vote.values and vote.line and DAY.fullmatch(vote.day)
    changed = vote.edited not in ("", vote.line) if vote.kind == "edit" else True
    return vote if whole and changed and _is_unicode(vote) else None


def _is_unicode(vote: Vote) -> bool:
    """Whether no text holds half of a letter, which no file could hold."""
    texts = (vote.product, *vote.values, vote.line, vote.edited, *vote.others, vote.writer)
    return not any("\ud800" <= sign <= "\udfff" for text in texts for sign in text)


def _fault(vote: Vote, limits: Limits) -> str:
    """Why a vote is rejected, or "".

    A line that is liked, or what became of it, must be fit to learn from. One that is not may leak or be a cliché.
    """
    texts = (vote.product, *vote.values, vote.line, vote.edited)
    if any(map(INSTRUCTION.search, texts)):
        return "instruction"
    if any(form.search(text) for form in (LABEL, REMARK, MARKUP, HASHTAG) for text in (vote.product, *vote.values)):
        return "format"
    fault = first_rule(as_row(vote.product, vote.values, vote.line), limits)[0]
    if vote.kind != "like" and fault in WORSE:
        fault = ""
    if vote.kind == "edit" and not fault:
        fault = first_rule(as_row(vote.product, vote.values, vote.edited), limits)[0]
    return fault


def as_row(product: str, values: Sequence[str], line: str) -> dict[str, Any]:
    """A line that a model wrote, as the rules look at it."""
    return dict(make_row(product, values, line, source="synthesised"))
