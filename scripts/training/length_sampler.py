"""Order rows so that those of like length stand together and little is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthSampler(Sampler[int]):
    """Rows of like length next to each other, in an order of its own for each epoch.

    transformers' LengthGroupedSampler draws from the global generator, which a resumed run has in another state, and
    groups by the batch of one process. This order depends on seed, epoch and the batch of all processes alone, so that
    a run goes on as it would have, and several processes see the batches that one would.

    Args:
        lengths: tokens of each row.
        batch: rows of a step, over all processes.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = list(lengths), batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; accelerate calls this."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        drawn = torch.Generator().manual_seed(self._seed + self._epoch)
        order: list[int] = get_length_grouped_indices(self._lengths, self._batch, generator=drawn)
        return iter(order)
