"""What the dataset card says, grouped by who supplies it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from dataset_card.changes import Changes
from dataset_card.gate import Expected, GateFacts, ReadingFacts, expected
from dataset_card.quality import Quality, measure
from pipelines.errors import HanjulError
from pipelines.feedback.pairs import Tally
from pipelines.filters.filter_rows import CANDIDATE_REASONS, REASONS
from pipelines.filters.gate import is_synthesised
from pipelines.filters.limits import Limits
from pipelines.rows import Merit, Split, split_of

#: Rows shown on the card.
SAMPLES = 3


@dataclass(frozen=True)
class Given:
    """By the maintainer, through the recipe.

    Attributes:
        repo_id: `namespace/name` of the dataset repo.
        title: e.g. `한 줄 Hanjul`.
        imported_terms: the licence under which imported rows may be shared, in words; empty where nobody has said.
    """

    repo_id: str
    title: str
    imported_terms: str = ""


@dataclass(frozen=True)
class Produced:
    """By the stages before the card.

    Attributes:
        teacher: what wrote the synthesised rows, a pinned URI or a model name; empty where nothing did.
        teacher_base: the base model of the teacher, e.g. `google/gemma-3-270m`; empty where unknown.
        asked: the model that was asked for where another answered, which then is the teacher; else empty.
        limits: the filters' thresholds, with what the gate says.
        seed: seed of the release.
        usage: what the synthesised lines took: input_tokens, output_tokens, usd (None where no price is known); empty
            where nothing was synthesised.
        version: tag of the release, e.g. `v0.2.0`; empty where it has none.
        encoder, max_cosine: the sentence encoder (`model@sha`) that found lines of the same meaning, and from which
            cosine on; empty where none did.
        prompts: file name of a prompt's template -> its SHA-256, 64 hex digits.
        gate: who let synthesised rows in; None where nobody judged.
        reading: what readers said of lines like these; None leaves it out.
        visitors: the votes of visitors of the demo, and the rows of config `preferences` that follow; None where none
            were imported.
    """

    teacher: str
    teacher_base: str
    limits: Limits
    seed: int
    usage: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    encoder: str = ""
    max_cosine: float = 1.0
    prompts: Mapping[str, str] = field(default_factory=dict)
    gate: GateFacts | None = None
    reading: ReadingFacts | None = None
    asked: str = ""
    visitors: Tally | None = None


@dataclass(frozen=True)
class Computed:
    """From the rows, once.

    Attributes:
        sources: kept rows by source.
        rejected: rejected rows by reason, in the order of the filters, reasons without rows left out.
        splits: split -> (rows, products).
        before, after: quality of all rows and of the kept ones, by samples of equal size.
        samples: rows for the card, drawn by seed from the train split, each of another product.
        preferences: rows of config `preferences`.
        preference_splits: those of its splits that have rows.
        pairs: whether the repo has config `pairs`.
        changes: since the version before; None for the first.
        expected: what the judge expects of synthesised rows, kept and candidates.
        from_teacher: synthesised rows, kept and candidates.
        merits: what people said of rows -> (kept, candidates); without those of which nobody said anything.
    """

    sources: Mapping[str, int]
    rejected: Mapping[str, int]
    splits: Mapping[Split, tuple[int, int]]
    before: Quality
    after: Quality
    samples: Sequence[Mapping[str, Any]]
    preferences: int
    preference_splits: tuple[Split, ...]
    pairs: bool
    changes: Changes | None
    expected: tuple[Expected, Expected]
    from_teacher: int
    merits: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Facts:
    """All of it."""

    given: Given
    produced: Produced
    computed: Computed


def gather(
    given: Given,
    produced: Produced,
    kept: Sequence[Mapping[str, Any]],
    rejected: Sequence[Mapping[str, Any]],
    *,
    preferences: Mapping[Split, int] | None = None,
    pairs: bool = False,
    changes: Changes | None = None,
) -> Facts:
    """Facts from what was given, what was produced, and the rows as the filter parted them.

    Args:
        rejected: with `reason`; candidates are among them.
        preferences: rows of config `preferences`, by split.
        pairs: whether the repo has config `pairs`.
        changes: since the version before, if there is one.

    Raises:
        HanjulError: no row was kept, and there is nothing to release.
    """
    if not kept:
        raise HanjulError(
            "No row passed the filters, so there is nothing to release", next_step="loosen the limits of `filter`"
        )
    reasons = Counter(row["reason"] for row in rejected)
    splits: dict[Split, tuple[int, int]] = {}
    for split in get_args(Split):
        rows = [row for row in kept if split_of(row["product"]) == split]
        splits[split] = (len(rows), len({row["product"] for row in rows}))
    by_split = preferences or {}
    candidates = [row for row in rejected if row["reason"] in CANDIDATE_REASONS]
    computed = Computed(
        sources=dict(sorted(Counter(row["source"] for row in kept).items())),
        rejected={reason: reasons[reason] for reason in REASONS if reasons[reason]},
        splits=splits,
        before=measure([*kept, *rejected], produced.limits, lines=len(kept), seed=produced.seed),
        after=measure(kept, produced.limits, lines=len(kept), seed=produced.seed),
        samples=_samples(kept, produced.seed),
        preferences=sum(by_split.values()),
        preference_splits=tuple(split for split in splits if by_split.get(split)),
        pairs=pairs,
        changes=changes,
        expected=(expected(kept), expected(candidates)),
        from_teacher=sum(map(is_synthesised, [*kept, *candidates])),
        merits=_merits(kept, candidates),
    )
    return Facts(given, produced, computed)


def _merits(kept: Sequence[Mapping[str, Any]], candidates: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    first, second = (Counter(row["merit"] for row in rows) for rows in (kept, candidates))
    return {merit: (first[merit], second[merit]) for merit in get_args(Merit) if merit and (first | second)[merit]}


def _samples(kept: Sequence[Mapping[str, Any]], seed: int) -> list[Mapping[str, Any]]:
    by_product = {row["product"]: row for row in sorted(kept, key=lambda row: row["id"])}
    train = [row for product, row in sorted(by_product.items()) if split_of(product) == "train"] or [
        *by_product.values()
    ]
    return random.Random(seed).sample(train, min(SAMPLES, len(train)))
