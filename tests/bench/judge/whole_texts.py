"""Texts read the straightforward way: one at a time, whole, with logits for every token of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pipelines.likelihood.log_probabilities import hangul_vocabulary


class WholeTexts:
    """`pipelines.likelihood.log_probabilities.Continuations`, with nothing kept and nothing left out."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._kept = torch.zeros(len(tokenizer), dtype=torch.bool)
        self._kept[hangul_vocabulary(tokenizer)] = True

    def prefix(self, text: str) -> list[int]:
        return self._ids(text)

    @torch.inference_mode()
    def after(self, prefix: list[int], befores: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]:
        return [
            self._read([*prefix, *self._ids(before)], self._ids(line))
            for before, line in zip(befores, lines, strict=True)
        ]

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _read(self, before: list[int], line: list[int]) -> torch.Tensor:
        logits = self.model(input_ids=torch.tensor([before + line])).logits[0].float()
        places, tokens = torch.arange(len(line)), torch.tensor(line)
        allowed = self._kept.repeat(len(line), 1)
        allowed[places, tokens] = True
        predicting = logits[len(before) - 1 : -1, : len(self._kept)]
        log_probs = predicting.masked_fill(~allowed, -torch.inf).log_softmax(1)
        return torch.stack([log_probs[places, tokens], log_probs.amax(1)], dim=1)
