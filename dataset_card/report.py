"""The facts of a release for machines: `report.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dataset_card.diversity import BLEU_SAMPLE, NEAR_SAMPLE, SAMPLE
from dataset_card.facts import Facts
from pipelines.filters.limits import Limits
from pipelines.text.line_index import Lines


def report(facts: Facts) -> dict[str, Any]:
    """All facts but the sample rows, as JSON has them.

    Keys: repo_id, title, version, seed, teacher, teacher_base, encoder, prompts, usage, limits, gate (null where nobody
    judged synthesised rows), reading, visitors (null where no votes were imported), expected, merits, rows (before,
    after, preferences), sources, acceptance, splits, samples, before, after and changes (null where there is no version
    before). `acceptance` are steps with `reason`, `rejected` and `left`; `before` and `after` are those of
    `quality.Quality`.
    """
    produced, computed = facts.produced, facts.computed
    found = {
        "repo_id": facts.given.repo_id,
        "title": facts.given.title,
        **{name: getattr(produced, name) for name in ("version", "seed", "teacher", "teacher_base", "encoder")},
        "prompts": produced.prompts,
        "usage": produced.usage,
        "limits": _limits(produced.limits),
        "gate": asdict(produced.gate) if produced.gate else None,
        "reading": asdict(produced.reading) if produced.reading else None,
        "visitors": asdict(produced.visitors) if produced.visitors else None,
        "expected": dict(zip(("default", "candidates"), map(asdict, computed.expected), strict=True)),
        "merits": {merit: {"default": kept, "candidates": rest} for merit, (kept, rest) in computed.merits.items()},
        "rows": {
            "before": computed.before.rows,
            "after": computed.after.rows,
            "preferences": computed.preferences,
        },
        "sources": computed.sources,
        "acceptance": _acceptance(facts),
        "splits": {split: {"rows": rows, "products": products} for split, (rows, products) in computed.splits.items()},
        "samples": {"most": SAMPLE, "near_duplicates": NEAR_SAMPLE, "self_bleu": BLEU_SAMPLE},
        "before": asdict(computed.before),
        "after": asdict(computed.after),
        "changes": asdict(computed.changes) if computed.changes else None,
    }
    return {name: _plain(value) for name, value in found.items()}


def _acceptance(facts: Facts) -> list[dict[str, Any]]:
    left, steps = facts.computed.before.rows, []
    for reason, count in facts.computed.rejected.items():
        left -= count
        steps.append({"reason": reason, "rejected": count, "left": left})
    return steps


def _limits(limits: Limits) -> dict[str, Any]:
    """The thresholds; sets of lines to compare with are told by their size."""
    return {name: len(value.lines) if isinstance(value, Lines) else value for name, value in limits}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
