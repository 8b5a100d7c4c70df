"""Will the rows and the model fit? Asked before training, answered with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psutil  # type: ignore[import-untyped]
from huggingface_hub import HfUri

from scripts.errors import HanjulError
from scripts.log import log
from scripts.settings import TrainSettings

GIB = 2**30


def check_lengths(tokenizer: Any, splits: Sequence[Any], max_length: int) -> tuple[int, int]:
    """Tokens of the longest row and of the longest completion, over all splits.

    Raises:
        HanjulError: rows are longer than `max_length`; cutting them would train on half a line.
    """
    rows, completions = [], []
    for split in splits:
        for row in split:
            whole = tokenizer.apply_chat_template([*row["prompt"], *row["completion"]], return_dict=True)["input_ids"]
            prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)
            rows.append(len(whole))
            completions.append(len(whole) - len(prompt["input_ids"]))
    over = sum(length > max_length for length in rows)
    if over:
        raise HanjulError(
            f"{over} rows are longer than train.max_length {max_length}, the longest has {max(rows)} tokens",
            next_step=f"set train.max_length to {max(rows)}, or filter them out with filter.max_chars",
        )
    return max(rows), max(completions)


def check_memory(base: HfUri, settings: TrainSettings, lengths: tuple[int, int]) -> None:
    """Say how much memory training will take at its peak.

    Raises:
        HanjulError: it is more than there is free on the machine, or on its accelerator.
    """
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base.id, revision=base.revision).get_text_config()
    needed = peak_bytes(config, settings, *lengths)
    if torch.cuda.is_available():
        free, where = torch.cuda.mem_get_info()[0], torch.cuda.get_device_name()
    else:
        free, where = psutil.virtual_memory().available, "this machine"
    log(f"train: about {needed / GIB:.1f} GiB of memory at the peak, {free / GIB:.1f} GiB free")
    if needed > free:
        raise HanjulError(
            f"Training needs about {needed / GIB:.1f} GiB of memory, {free / GIB:.1f} GiB are free",
            where,
            "lower train.batch_size, close other programs or take a smaller base",
        )


def peak_bytes(config: Any, settings: TrainSettings, row_tokens: int, completion_tokens: int) -> int:
    """Bytes at the peak of a LoRA step: weights, activations and logits of the largest batch.

    Weights are bfloat16. Activations by Korthikanti et al. 2022, "Reducing Activation Recomputation in Large
    Transformer Models", equation 2: s·b·h·(34 + 5·a·s/h) bytes a layer. Logits of completion tokens stand there once in
    bfloat16 and three times in float32 (themselves, their log-probabilities, their gradient).
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        weights = 2 * sum(parameter.numel() for parameter in AutoModelForCausalLM.from_config(config).parameters())
    hidden, heads, tokens = config.hidden_size, config.num_attention_heads, row_tokens * settings.batch_size
    activations = config.num_hidden_layers * tokens * (34 * hidden + 5 * heads * row_tokens)
    logits = settings.batch_size * completion_tokens * config.vocab_size * (2 + 3 * 4)
    return int(weights + activations + logits)
