"""What a language model makes of a line behind its pair: its hidden states, averaged over the tokens of the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pipelines.likelihood.prompts import line_prompt
from pipelines.rows import Scorable

#: Where in the stack of layers states are taken, as a share of its depth. The last layers speak of the next token.
DEPTHS = (1 / 2, 2 / 3, 5 / 6)
_BATCH = 64


@torch.inference_mode()
def mean_states(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Scorable],
    progress: Callable[[int], None] = lambda done: None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Mean hidden states of each line's tokens, the pair before it read but not counted.

    One pass through the layers and none through the head, which is most of the cost of a likelihood.

    Args:
        model: a causal `transformers` model in evaluation mode.
        progress: called with the number of rows that a batch has added.

    Returns:
        [rows, len(DEPTHS) * width of the model], one depth after the other.
    """
    layers = [round(model.config.num_hidden_layers * depth) for depth in DEPTHS]
    texts = [_ids(tokenizer, row) for row in rows]
    found = np.zeros((len(rows), len(layers) * model.config.hidden_size), np.float32)
    order = sorted(range(len(rows)), key=lambda place: sum(map(len, texts[place])))  # like lengths together
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        ids = [texts[place][0] + texts[place][1] for place in batch]
        # Padding stands on the right, where causal attention keeps it from every token that counts.
        inputs = torch.nn.utils.rnn.pad_sequence([torch.tensor(one) for one in ids], batch_first=True)
        states = model.base_model(input_ids=inputs.to(model.device), output_hidden_states=True).hidden_states
        for row, place in enumerate(batch):
            before, line = map(len, texts[place])
            means = [states[layer][row, before : before + line].float().mean(0) for layer in layers]
            found[place] = torch.cat(means).cpu().numpy()
        progress(len(batch))
    return found


def _ids(tokenizer: Any, row: Scorable) -> tuple[list[int], list[int]]:
    """Token ids of the pair, from the token that begins a text, and of the line."""
    begin = str(tokenizer.bos_token or tokenizer.eos_token)
    before, line = begin + line_prompt(row), f" {row['ad_copy'] or '.'}"
    return tuple(list(tokenizer(text, add_special_tokens=False).input_ids) for text in (before, line))  # type: ignore[return-value]
