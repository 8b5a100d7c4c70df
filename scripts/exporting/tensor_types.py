"""Choose the type of each tensor of a quantised model by llama.cpp's rule, which xllamacpp does not export."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERED = re.compile(r"blk\.(\d+)\.")
#: Small matrices that llama.cpp leaves as they are (llama-quant.cpp, tensor_allows_quantization), of text models.
_KEPT = ("ffn_gate_inp", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv", "time_mix_")


def tensor_types(shapes: Sequence[tuple[str, Sequence[int]]], kind: str) -> dict[str, str | None]:
    """The ggml type of each tensor; None for one that keeps the type it has.

    llama.cpp's rule (llama-quant.cpp, llama_tensor_get_type) without its exceptions for Falcon, for models of eight
    experts and for those of 70 billion parameters.

    Args:
        shapes: name and shape (rows first) of each tensor.
        kind: `Q8_0` or `Q4_K_M`.
    """
    shapes = sorted(shapes, key=lambda shape: _layer(shape[0]))
    tied = "output.weight" not in (name for name, _ in shapes)
    layers = 1 + max((_layer(name) for name, _ in shapes), default=0)
    values = [name for name, _ in shapes if re.search(r"attn_(v|qkv|kv_b)\.weight$", name)]
    downs = [name for name, _ in shapes if "ffn_down" in name]
    types: dict[str, str | None] = {}
    for name, shape in shapes:
        if len(shape) < 2 or not name.endswith("weight") or "_norm." in name or any(part in name for part in _KEPT):
            types[name] = None
            continue
        if kind == "Q8_0":
            wanted = "Q8_0"
        elif name == "output.weight" or (tied and name == "token_embd.weight"):
            wanted = "Q6_K"
        elif name in values:
            wanted = "Q6_K" if _more_bits(values.index(name), len(values)) else "Q4_K"
        elif name in downs:
            wanted = "Q6_K" if _more_bits(downs.index(name), layers) else "Q4_K"
        else:
            wanted = "Q4_K"
        types[name] = _type_for_columns(wanted, shape[-1])
    return types


def _layer(name: str) -> int:
    """Number of the layer, -1 for what belongs to none."""
    match = _NUMBERED.match(name)
    return int(match[1]) if match else -1


def _more_bits(layer: int, layers: int) -> bool:
    """llama.cpp's use_more_bits: the first and the last eighth of the layers, and every third one between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _type_for_columns(wanted: str, columns: int) -> str:
    """The type itself, or what llama.cpp falls back to where rows are no whole number of blocks."""
    if wanted != "Q8_0" and columns % 256:
        wanted = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}[wanted]
    return "F16" if columns % 32 else wanted
