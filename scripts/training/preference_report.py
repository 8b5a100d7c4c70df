"""Preference tuning: an SFT adapter goes on with config `preferences`, and is compared with where it started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.training import build, fit, measure
from scripts.training.job import Job, rows_of

#: What TRL calls its copy of the adapter that training starts from.
REFERENCE = "ref"


def prefer(folder: Path, job: Job, base: Any, tokenizer: Any) -> tuple[dict[str, Any], Any]:
    """Train by DPO; the curve, with `held_out` and `preferences` (see `compare`), and the trainer.

    Args:
        base: the base model without an adapter.
    """
    from peft import PeftModel

    model = PeftModel.from_pretrained(base, job.start, revision=job.start_revision, is_trainable=True)
    train, held_out = (rows_of(folder, "preferences", split) for split in ("train", "validation"))
    trainer = build.trainer(model, tokenizer, train, held_out, job.settings, job.seed, folder / "checkpoints")
    curve = fit.fit(trainer)
    tuned = trainer.accelerator.unwrap_model(trainer.model)
    return curve | compare(tuned, tokenizer, rows_of(folder, "rows", "validation"), held_out), trainer


def compare(model: Any, tokenizer: Any, rows: Any, pairs: Any) -> dict[str, Any]:
    """The base, the adapter at the start and the adapter now, on held-out rows and on held-out preferences.

    Args:
        model: a PEFT model with the adapters `default` and `ref`.
        rows: columns `prompt` and `completion`, or None.
        pairs: columns `prompt`, `chosen` and `rejected`, or None.

    Returns:
        `held_out`: {base, start, adapter (loss per completion token, nats), tokens}, or None without rows.
        `preferences`: {start, adapter (share of pairs whose chosen line is the likelier one, a tie counts half),
        pairs}, or None without pairs.
    """
    held: dict[str, Any] = {}
    liked: dict[str, Any] = {}
    for name, adapter in (("base", None), ("start", REFERENCE), ("adapter", "default")):
        if adapter is None:
            with model.disable_adapter():
                held[name] = measure.losses(model, tokenizer, rows) if rows else []
            continue
        model.set_adapter(adapter)
        held[name] = measure.losses(model, tokenizer, rows) if rows else []
        liked[name] = _accuracy(model, tokenizer, pairs) if pairs else None
    tokens = sum(count for _, count in held["base"])
    return {
        "held_out": {name: measure.per_token(found) for name, found in held.items()} | {"tokens": tokens}
        if rows
        else None,
        "preferences": liked | {"pairs": len(pairs)} if pairs else None,
    }


def _accuracy(model: Any, tokenizer: Any, pairs: Any) -> float:
    sides = [
        measure.losses(model, tokenizer, [{"prompt": pair["prompt"], "completion": pair[side]} for pair in pairs])
        for side in ("chosen", "rejected")
    ]
    wins: list[float] = [
        (chosen < rejected) + 0.5 * (chosen == rejected) for (chosen, _), (rejected, _) in zip(*sides, strict=True)
    ]
    return sum(wins) / len(wins)
