"""Tiny GGUFs as a release has them."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer, Gemma3ForCausalLM

from pipelines.rows import CHAT_TEMPLATE
from scripts.exporting.convert import convert_to_gguf
from tests.tiny import gemma


def write_ggufs(folder: Path) -> Path:
    """Write `merged.gguf`, with a chat template, and `base.gguf`, with other weights and without one.

    Returns:
        The folder that holds the two and nothing else.
    """
    base = gemma.save_base(folder / "base")
    merged = gemma.save_base(folder / "merged")
    tokenizer = AutoTokenizer.from_pretrained(merged)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(merged)
    torch.manual_seed(1)
    model = Gemma3ForCausalLM.from_pretrained(merged, dtype=torch.bfloat16)
    torch.nn.init.normal_(model.model.layers[0].mlp.down_proj.weight, std=0.3)
    model.save_pretrained(merged)
    (folder / "ggufs").mkdir()
    for one in (base, merged):
        convert_to_gguf(one, folder / "ggufs" / f"{one.name}.gguf", one.name)
    return folder / "ggufs"
