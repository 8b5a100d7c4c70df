"""Train an SFT adapter further by DPO on config `preferences`, and measure it against where it started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from peft import PeftModel

from pipelines.progress import Progress
from scripts.training import completion_loss
from scripts.training.build_trainer import build_trainer
from scripts.training.encoding import encode
from scripts.training.job import TrainingJob, load_rows
from scripts.training.run_trainer import run_trainer

#: What TRL calls its copy of the adapter that training starts from.
REFERENCE = "ref"
#: Rows whose losses are measured at a time.
BATCH = 16


def train_dpo(folder: Path, job: TrainingJob, base: Any, tokenizer: Any) -> tuple[dict[str, Any], Any]:
    """Train by DPO; return the curve, with `held_out` and `preferences` (see `compare`), and the trainer.

    Args:
        base: the base model without an adapter.
    """
    model = PeftModel.from_pretrained(base, job.start, revision=job.start_revision, is_trainable=True)
    train, held_out = (load_rows(folder, "preferences", split) for split in ("train", "validation"))
    trainer = build_trainer(model, tokenizer, train, held_out, job.settings, job.seed, folder / "checkpoints")
    curve = run_trainer(trainer)
    tuned = trainer.accelerator.unwrap_model(trainer.model)
    return curve | compare(tuned, tokenizer, load_rows(folder, "rows", "validation"), held_out), trainer


def compare(model: Any, tokenizer: Any, rows: Any, pairs: Any) -> dict[str, Any]:
    """Compare the base, the adapter at the start and the adapter now on held-out rows and held-out preferences.

    Args:
        model: a PEFT model with the adapters `default` and `ref`.
        rows: columns `prompt` and `completion`, or None.
        pairs: columns `prompt`, `chosen` and `rejected`, or None.

    Returns:
        `held_out`: {base, start, adapter (loss per completion token, nats), tokens}, or None without rows.
        `preferences`: {start, adapter (share of pairs whose chosen line is the likelier one, a tie counts half),
        pairs}, or None without pairs.
    """
    losses: dict[str, Any] = {}
    accuracy: dict[str, Any] = {}
    for name, adapter in (("base", None), ("start", REFERENCE), ("adapter", "default")):
        if adapter is None:
            with model.disable_adapter():
                losses[name] = line_losses(model, tokenizer, rows) if rows else []
            continue
        model.set_adapter(adapter)
        losses[name] = line_losses(model, tokenizer, rows) if rows else []
        accuracy[name] = _accuracy(model, tokenizer, pairs) if pairs else None
    tokens = sum(count for _, count in losses["base"])
    return {
        "held_out": {name: per_token(measured) for name, measured in losses.items()} | {"tokens": tokens}
        if rows
        else None,
        "preferences": accuracy | {"pairs": len(pairs)} if pairs else None,
    }


def _accuracy(model: Any, tokenizer: Any, pairs: Any) -> float:
    sides = [
        line_losses(model, tokenizer, [{"prompt": pair["prompt"], "completion": pair[side]} for pair in pairs])
        for side in ("chosen", "rejected")
    ]
    wins: list[float] = [
        (chosen < rejected) + 0.5 * (chosen == rejected) for (chosen, _), (rejected, _) in zip(*sides, strict=True)
    ]
    return sum(wins) / len(wins)


def line_losses(model: Any, tokenizer: Any, rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, int]]:
    """Negative log-likelihood (nats) of each row's `completion` after its `prompt`, and its number of tokens.

    Args:
        model: causal, in the state it is to be measured in (which adapter is on).
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    encoded = [encode(tokenizer, row) for row in rows]
    losses: list[tuple[float, int]] = []
    with torch.no_grad(), Progress("train: held-out loss", len(encoded), unit="rows") as progress:
        for start in range(0, len(encoded), BATCH):
            batch = encoded[start : start + BATCH]
            losses += zip(
                _batch_losses(model, batch, device), (len(completion) for _, completion in batch), strict=True
            )
            progress.advance(len(batch))
    model.train(was_training)
    return losses


def _batch_losses(model: Any, batch: Sequence[tuple[list[int], list[int]]], device: Any) -> list[float]:
    length = max(len(prompt) + len(completion) for prompt, completion in batch)
    ids = torch.zeros((len(batch), length), dtype=torch.long, device=device)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, completion_loss.IGNORED)
    for row, (prompt, completion) in enumerate(batch):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor(prompt + completion)
        mask[row, :end] = 1
        labels[row, len(prompt) : end] = torch.tensor(completion)
    keep = labels[:, 1:] != completion_loss.IGNORED
    inputs = {"input_ids": ids, "attention_mask": mask}
    logits = completion_loss.completion_logits(model, model.get_output_embeddings(), inputs, F.pad(keep, (0, 1)))
    losses: list[float] = completion_loss.row_losses(logits, labels[:, 1:][keep], keep).tolist()
    return losses


def per_token(losses: Sequence[tuple[float, int]]) -> float:
    """Mean loss per completion token over all rows."""
    return sum(loss for loss, _ in losses) / sum(tokens for _, tokens in losses)
