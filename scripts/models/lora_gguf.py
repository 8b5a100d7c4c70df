"""A PEFT LoRA adapter of a Gemma 3 model as a GGUF that llama.cpp loads beside the base's.

Keys and tensor names are those of llama.cpp's own convert_lora_to_gguf.py: general.type, adapter.type,
adapter.lora.alpha; `blk.N.<module>.weight.lora_a` and `.lora_b`, shapes as PEFT has them.
"""

from __future__ import annotations

import re
from pathlib import Path

import gguf
from safetensors.numpy import load_file

from pipelines.errors import HanjulError

_PEFT_NAME = re.compile(r"base_model\.model\.(model\.layers\.(\d+)\..+)\.lora_([AB])\.weight")


def convert(adapter: Path, target: Path) -> Path:
    """Write the adapter in folder `adapter` to the file `target`, float32; an older file there is replaced at the end.

    Raises:
        HanjulError: the adapter is not a plain LoRA on the layers of the model.
    """
    from peft import LoraConfig, PeftConfig

    config = PeftConfig.from_pretrained(str(adapter))
    if not isinstance(config, LoraConfig) or config.use_dora or config.use_rslora or config.alpha_pattern:
        raise _unsupported(adapter, "it is not a plain LoRA with one alpha")
    tensors = load_file(adapter / "adapter_model.safetensors")
    matched = {name: _PEFT_NAME.fullmatch(name) for name in tensors}
    names = gguf.get_tensor_name_map(
        gguf.MODEL_ARCH.GEMMA3, 1 + max((int(match[2]) for match in matched.values() if match), default=0)
    )
    part = target.with_name(target.name + ".part")
    writer = gguf.GGUFWriter(part, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.GEMMA3])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config.lora_alpha))
    for name, tensor in sorted(tensors.items()):
        match = matched[name]
        module = names.get_name(match[1]) if match else None
        if not match or module is None:
            raise _unsupported(adapter, f"tensor {name} belongs to no layer of a Gemma 3 model")
        writer.add_tensor(f"{module}.weight.lora_{match[3].lower()}", tensor.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return part.replace(target)


def _unsupported(adapter: Path, reason: str) -> HanjulError:
    return HanjulError(
        f"This adapter cannot be converted for llama.cpp: {reason}",
        str(adapter),
        "serve it with vLLM and name the endpoint in teacher.base_url",
    )
