"""Compute the loss of completion tokens without the logits of all others, and without keeping any logits.

Most tokens of a row are prompt, and a vocabulary of 262,144 makes the head dearer than the layers. So the head sees
the hidden states of completion tokens alone, a chunk at a time, and the gradient is taken while a chunk's logits are
still there, as in Hsu et al. 2024, "Liger Kernel: Efficient Triton Kernels for LLM Training", section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F

IGNORED = -100
#: Tokens whose logits stand in memory together, 64 MiB in float32 for a vocabulary of 262,144, and the entries of the
#: vocabulary that are multiplied at a time.
CHUNK, BLOCK = 64, 16384


class _SummedCrossEntropy(torch.autograd.Function):
    """Cross entropy summed over tokens, of a linear head whose weight is frozen."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """hidden (tokens, width), weight (vocabulary, width), targets (tokens,) -> a scalar, float32."""
        gradient = torch.zeros(hidden.shape, dtype=torch.float32, device=hidden.device)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        size = (min(CHUNK, len(hidden)), len(weight))
        logits = torch.empty(size, dtype=torch.float32, device=hidden.device)
        for start in range(0, len(hidden), CHUNK):
            rows, wanted = hidden[start : start + CHUNK], targets[start : start + CHUNK, None]
            p = logits[: len(rows)]
            for block in range(0, len(weight), BLOCK):
                p[:, block : block + BLOCK] = rows @ weight[block : block + BLOCK].t()
            largest = p.amax(1, keepdim=True)
            total += largest.sum() - p.gather(1, wanted).sum()
            sums = p.sub_(largest).exp_().sum(1, keepdim=True)
            total += sums.log().sum()
            p.div_(sums).scatter_add_(1, wanted, torch.full_like(sums, -1.0))  # d loss / d logits = softmax - one-hot
            for block in range(0, len(weight), BLOCK):
                part = p[:, block : block + BLOCK].to(weight.dtype) @ weight[block : block + BLOCK]
                gradient[start : start + CHUNK] += part
        ctx.save_for_backward(gradient)
        ctx.dtype = hidden.dtype
        return total

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream).to(ctx.dtype), None, None


def summed_loss(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross entropy of `hidden` @ `weight`ᵀ against `targets`, summed; the gradient goes to `hidden` alone."""
    loss: torch.Tensor = _SummedCrossEntropy.apply(hidden.to(weight.dtype), weight, targets)  # type: ignore[no-untyped-call]
    return loss


def is_last(model: Any) -> bool:
    """Whether a causal model's logits are what its head gives, unscaled and uncapped, and the head is a frozen linear.

    Asked of the model itself, with a head that gives large numbers: Gemma 2 caps its logits, Granite divides them.
    """
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear or head.bias is not None or head.weight.requires_grad:
        return False
    marks = torch.linspace(-1000, 1000, head.out_features, dtype=head.weight.dtype, device=head.weight.device)
    plain, was_training = head.forward, model.training
    head.forward = lambda hidden: marks.expand(1, 1, -1)
    try:
        with torch.no_grad():
            logits = model.eval()(input_ids=torch.zeros((1, 1), dtype=torch.long, device=marks.device)).logits
    finally:
        head.forward = plain
        model.train(was_training)
    return torch.equal(logits[0, 0].float(), marks.float())


@contextmanager
def loss_in_place_of_logits(head: Any, positions: torch.Tensor, targets: torch.Tensor) -> Iterator[None]:
    """Have the model give the summed loss where its logits would be: inside its forward, where FSDP has the weights.

    Args:
        positions: (batch, length), where the hidden states are that predict `targets` (tokens,).
    """
    plain = head.forward
    head.forward = lambda hidden: summed_loss(hidden[positions], head.weight, targets)
    try:
        yield
    finally:
        head.forward = plain


def completion_logits(model: Any, head: Any, inputs: dict[str, Any], positions: torch.Tensor) -> torch.Tensor:
    """Logits (tokens, vocabulary) at `positions` (batch, length): whatever the model, its head sees these alone."""
    hook = head.register_forward_pre_hook(lambda module, args: (args[0][positions],))
    try:
        logits: torch.Tensor = model(**inputs, use_cache=False).logits
    finally:
        hook.remove()
    return logits


def row_losses(logits: torch.Tensor, targets: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood (nats) of each row's completion, (batch,).

    Args:
        logits: (tokens, vocabulary) where `keep` (batch, length) is true, row after row.
        targets: (tokens,).
    """
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    rows = keep.nonzero()[:, 0]
    return torch.zeros(len(keep), device=losses.device).index_add(0, rows, losses)
