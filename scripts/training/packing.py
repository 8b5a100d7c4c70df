"""Check that a model's attention keeps packed rows apart."""

from __future__ import annotations

from typing import Any

import torch

from pipelines.errors import HanjulError

#: Logits may differ by rounding: the same tokens stand in matrices of another shape. Relative to the largest logit.
TOLERANCE = 0.02


def check_packing(model: Any, first: list[int], second: list[int]) -> None:
    """Compare the second of two rows, packed behind the first, with itself alone.

    Args:
        model: causal, with the attention it trains with.
        first, second: token ids of two rows.

    Raises:
        HanjulError: its logits change, so its attention looks into the row before.
    """
    device = next(model.parameters()).device
    positions = torch.tensor([[*range(len(first)), *range(len(second))]], device=device)
    was_training = model.training
    with torch.no_grad():
        model.eval()
        ids = torch.tensor([first + second], device=device)
        packed = model(input_ids=ids, position_ids=positions, use_cache=False).logits  # as in training
        alone = model(input_ids=torch.tensor([second], device=device), use_cache=False).logits
    model.train(was_training)
    apart = (packed[0, len(first) :].float() - alone[0].float()).abs().max() / alone.abs().max()
    if apart > TOLERANCE:
        raise HanjulError(
            f"Packed rows would see each other: logits move by {float(apart):.0%}",
            f"attention {model.config._attn_implementation} of {model.config.model_type}",
            "set train.packing to false, or install flash-attn",
        )
