"""How likely a causal model finds lines, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from scripts.training import head as heads
from scripts.training.encoding import encode

BATCH = 16


def losses(model: Any, tokenizer: Any, rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, int]]:
    """Negative log-likelihood (nats) of each row's `completion` after its `prompt`, and its number of tokens.

    Args:
        model: causal, in the state it is to be measured in (which adapter is on).
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    encoded = [encode(tokenizer, row) for row in rows]
    found: list[tuple[float, int]] = []
    with torch.no_grad():
        for start in range(0, len(encoded), BATCH):
            batch = encoded[start : start + BATCH]
            found += zip(_batch(model, batch, device), (len(completion) for _, completion in batch), strict=True)
    model.train(was_training)
    return found


def _batch(model: Any, batch: Sequence[tuple[list[int], list[int]]], device: Any) -> list[float]:
    length = max(len(prompt) + len(completion) for prompt, completion in batch)
    ids = torch.zeros((len(batch), length), dtype=torch.long, device=device)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, heads.IGNORED)
    for row, (prompt, completion) in enumerate(batch):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor(prompt + completion)
        mask[row, :end] = 1
        labels[row, len(prompt) : end] = torch.tensor(completion)
    keep = labels[:, 1:] != heads.IGNORED
    inputs = {"input_ids": ids, "attention_mask": mask}
    logits = heads.completion_logits(model, model.get_output_embeddings(), inputs, F.pad(keep, (0, 1)))
    found: list[float] = heads.row_losses(logits, labels[:, 1:][keep], keep).tolist()
    return found


def per_token(found: Sequence[tuple[float, int]]) -> float:
    """Mean loss per completion token over all rows."""
    return sum(loss for loss, _ in found) / sum(tokens for _, tokens in found)
