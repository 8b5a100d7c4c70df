"""Log-probabilities of many continuations: what texts begin with is read once, and only the last tokens meet the head.

All log-probabilities are natural. They are conditional on the text being in Hangul: the vocabulary is cut down to
tokens without letters of other scripts (Gemma: 262,144 -> 13,484), for the head would otherwise be most of the cost; a
foreign token is added for itself.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

_BATCH = 32
_FOREIGN = re.compile("[^\\W\\d_가-힣ㄱ-ㅣ]")  # a letter of another script


class Continuations:
    """A causal language model that reads what many texts begin with only once, and scores how each goes on.

    Args:
        model: a `transformers` causal model in evaluation mode; bfloat16 is enough, sums are float32.
        tokenizer: needs an end-of-sequence token.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self._vocabulary = torch.tensor(hangul_vocabulary(tokenizer), device=model.device)
        self._weight = model.get_output_embeddings().weight.detach()[self._vocabulary]

    @torch.inference_mode()
    def prefix(self, text: str) -> Any:
        """The model's keys and values of what texts begin with."""
        ids = torch.tensor([self._ids(text)], device=self.model.device)
        return self.model.base_model(input_ids=ids, use_cache=True).past_key_values

    @torch.inference_mode()
    def after(self, prefix: Any, befores: Sequence[str], lines: Sequence[str]) -> list[torch.Tensor]:
        """Log-probabilities of each line's tokens after the prefix and what stands before it, in order.

        The three are tokenized apart, and the beginning of a text is part of the prefix.

        Args:
            befores: none is empty: the first token of a line is predicted from the last one before it.

        Returns:
            [tokens, 2] float32 for each: of the token itself, and of the likeliest one in its place.
        """
        pairs = [(self._ids(before), self._ids(line)) for before, line in zip(befores, lines, strict=True)]
        order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))  # like lengths together: less padding
        by_line: list[torch.Tensor] = [torch.empty(0)] * len(pairs)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            for i, log_probs in zip(batch, self._batch(prefix, [pairs[i] for i in batch]), strict=True):
                by_line[i] = log_probs
        return by_line

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _batch(self, prefix: Any, pairs: Sequence[tuple[list[int], list[int]]]) -> Sequence[torch.Tensor]:
        """As `after`, for token ids and one batch.

        Padding stands on the right, where causal attention keeps it from every token that counts: no mask is needed.
        The last token of a line predicts nothing and stays out.
        """
        width = max(len(before) + len(line) for before, line in pairs) - 1
        inputs = torch.zeros(len(pairs), width, dtype=torch.long)
        where: list[int] = []  # flat positions of the hidden states that predict
        targets: list[int] = []  # and the tokens they should predict
        for row, (before, line) in enumerate(pairs):
            ids = before + line
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            where += range(row * width + len(before) - 1, row * width + len(ids) - 1)
            targets += line
        cache = copy.deepcopy(prefix)
        for layer in cache.layers:
            layer.keys, layer.values = (kept.expand(len(pairs), -1, -1, -1) for kept in (layer.keys, layer.values))
        device = self.model.device
        output = self.model.base_model(input_ids=inputs.to(device), past_key_values=cache, use_cache=True)
        hidden = output.last_hidden_state.flatten(0, 1)[torch.tensor(where, device=device)]
        log_probs = self._head(hidden, torch.tensor(targets, device=device)).cpu()
        return torch.split(log_probs, [len(line) for _, line in pairs])

    def _head(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """[tokens, 2]: log-probability of each target among the Hangul vocabulary and itself, and of the likeliest."""
        head = self.model.get_output_embeddings()
        bias = None if head.bias is None else head.bias[self._vocabulary]
        kept = self._capped(functional.linear(hidden, self._weight, bias))
        chosen = (hidden.float() * head.weight[targets].float()).sum(1).to(hidden.dtype)  # rounded as all others are
        chosen = self._capped(chosen if head.bias is None else chosen + head.bias[targets])
        total, best = kept.logsumexp(1), kept.amax(1)
        foreign = ~torch.isin(targets, self._vocabulary)
        total = torch.where(foreign, torch.logaddexp(total, chosen), total)
        best = torch.where(foreign, torch.maximum(best, chosen), best)
        return torch.stack([chosen - total, best - total], dim=1)

    def _capped(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits in float32, soft-capped where the model does so."""
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return cap * torch.tanh(logits.float() / cap) if cap else logits.float()


def hangul_vocabulary(tokenizer: Any) -> list[int]:
    """Ids of the tokens without letters of other scripts, and of the token that ends a line."""
    texts = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return [i for i, text in enumerate(texts) if i == tokenizer.eos_token_id or not _FOREIGN.search(text)]
