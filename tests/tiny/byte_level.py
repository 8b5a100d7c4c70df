"""A tiny Llama with byte-level BPE, written as a GGUF: llama.cpp's converter knows no tokenizer trained on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from pipelines.rows import CHAT_TEMPLATE
from tests.tiny import architectures

END = "<|endoftext|>"
#: Rows of the embedding that no token has, as the converter names them.
PADDING = ["[PAD500]", "[PAD501]"]
_WIDTH, _INNER, _HEADS, _LAYERS = 64, 128, 2, 2


def tokenizer() -> Any:
    return architectures.byte_level(END)


def write_gguf(path: Path) -> Path:
    """Seeded random weights, float32, with a head of its own; the vocabulary as llama.cpp has Qwen's."""
    model = json.loads(tokenizer().backend_tokenizer.to_str())["model"]
    tokens = [*sorted(model["vocab"], key=model["vocab"].get), *PADDING]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(len(tokens))
    writer.add_context_length(256)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_INNER)
    writer.add_block_count(_LAYERS)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    normal, control, unused = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL, gguf.TokenType.UNUSED
    special = {END: control} | dict.fromkeys(PADDING, unused)
    writer.add_token_types([special.get(token, normal) for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
    writer.add_eos_token_id(tokens.index(END))
    writer.add_bos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_suppress_tokens([tokens.index(PADDING[0]), tokens.index("!")])
    writer.add_chat_template(CHAT_TEMPLATE)
    _add_weights(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: gguf.GGUFWriter, tokens: int) -> None:
    generator = np.random.default_rng(0)
    square, up, down = (_WIDTH, _WIDTH), (_INNER, _WIDTH), (_WIDTH, _INNER)
    layer = {f"attn_{name}": square for name in ("q", "k", "v", "output")}
    layer |= {"ffn_gate": up, "ffn_up": up, "ffn_down": down}
    for name in ("token_embd", "output"):
        writer.add_tensor(f"{name}.weight", generator.normal(0, 0.3, (tokens, _WIDTH)).astype(np.float32))
    for number in range(_LAYERS):
        for name, shape in layer.items():
            writer.add_tensor(f"blk.{number}.{name}.weight", generator.normal(0, 0.2, shape).astype(np.float32))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{number}.{name}.weight", np.ones(_WIDTH, np.float32))
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
