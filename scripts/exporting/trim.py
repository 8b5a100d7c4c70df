"""Write a GGUF with a part of its vocabulary: rows of embedding and head, and all that names a token by its id.

What a small model reads for one token is mostly a vocabulary of a hundred scripts: 262,144 rows of 640 numbers in Gemma
3 270M, beside 100 million numbers in its layers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from pipelines.errors import HanjulError
from scripts.exporting.convert import copy_keys
from scripts.exporting.vocabulary import BYTE_LEVEL, OF_TOKEN, SENTENCEPIECE, Trimmed, read_vocabulary

#: The kind of GGUF that is made, and the kind it is cut from.
KIND, WHOLE = "Q8_0-ko", "Q8_0"
#: A vocabulary that would lose less than this share is left whole.
LEAST_LOST = 0.25

_KEYS = gguf.Keys.Tokenizer
#: Copies of the tokenizer in other forms, which llama.cpp does not read.
_OTHER_FORMS = (_KEYS.HF_JSON, _KEYS.RWKV)
#: Tensors with a row for each token: the embedding, that of each layer (Gemma 3n), the head and its bias.
_ROW_A_TOKEN = ("token_embd.weight", "per_layer_token_embd.weight", "output.weight", "output.bias")


def reason_not_to(trimmed: Trimmed) -> str:
    """Why a vocabulary is not to be trimmed; empty where it is."""
    model, tokens = trimmed.whole.model, len(trimmed.whole.tokens)
    if model not in (SENTENCEPIECE, BYTE_LEVEL):
        return f"its tokenizer is of type {model or 'none'}, and only those of types llama and gpt2 are trimmed"
    if len(trimmed.kept) > (1 - LEAST_LOST) * tokens:
        return f"Korean lines need {len(trimmed.kept):,} of its {tokens:,} tokens"
    return ""


def trim(source: Path, target: Path, trimmed: Trimmed) -> Path:
    """Write `source` with the tokens of `trimmed` alone to `target`; replaces an older file at the end.

    Raises:
        HanjulError: its vocabulary is another one, or a tensor has a row for each token and is not known here.
    """
    reader, whole = gguf.GGUFReader(source), trimmed.whole
    if read_vocabulary(reader) != whole:
        raise HanjulError("This GGUF has another vocabulary", str(source), "trim the one that the tokens are from")
    rows = np.array(trimmed.kept)
    part = target.with_name(target.name + ".part")
    writer = gguf.GGUFWriter(part, str(reader.get_field(gguf.Keys.General.ARCHITECTURE).contents()))
    copy_keys(reader, writer, changed=_changed_keys(reader, trimmed))
    for tensor in reader.tensors:
        of_tokens = tensor.name in _ROW_A_TOKEN
        if not of_tokens and not tensor.name.startswith("blk.") and tensor.shape[-1] == len(whole.tokens):
            what = f"Tensor {tensor.name} has a row for each token, and nothing is known of it"
            raise HanjulError(what, str(source), "leave its vocabulary whole")
        writer.add_tensor(tensor.name, tensor.data[rows] if of_tokens else tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return part.replace(target)


def _changed_keys(reader: Any, trimmed: Trimmed) -> dict[str, Any]:
    """Keys that speak of tokens -> what they say of the part; None for those that say nothing of it."""
    part, architecture = trimmed.part, reader.get_field(gguf.Keys.General.ARCHITECTURE).contents()
    changed: dict[str, Any] = dict.fromkeys(_OTHER_FORMS)
    changed |= {
        _KEYS.LIST: part.tokens,
        _KEYS.TOKEN_TYPE: part.types,
        _KEYS.SCORES: part.scores,
        _KEYS.MERGES: part.merges,
        gguf.Keys.LLM.VOCAB_SIZE.format(arch=architecture): len(part.tokens),
    }
    for name, field in reader.fields.items():
        if name.endswith(OF_TOKEN):
            changed[name] = trimmed.new_ids.get(field.contents())
        elif name == _KEYS.SUPPRESS_TOKENS:
            changed[name] = [trimmed.new_ids[old] for old in field.contents() if old in trimmed.new_ids] or None
    return changed
