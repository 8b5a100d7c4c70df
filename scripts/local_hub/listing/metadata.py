"""Infer of a model what its card may not say, from its files, as the Hub does."""

import json
import math
import struct
from collections import Counter
from functools import lru_cache
from pathlib import Path
from sqlite3 import Connection

from scripts.local_hub import commits
from scripts.local_hub.blobs import path_of
from scripts.local_hub.cards import JSON
from scripts.local_hub.commits import File

_MOST_JSON = 1 << 20
_MOST_HEADER = 100 << 20

#: End of an architecture's name, its pipeline tag and its Auto class.
_ARCHITECTURES = (
    ("ForCausalLM", "text-generation", "AutoModelForCausalLM"),
    ("LMHeadModel", "text-generation", "AutoModelForCausalLM"),
    ("ForMaskedLM", "fill-mask", "AutoModelForMaskedLM"),
    ("ForSequenceClassification", "text-classification", "AutoModelForSequenceClassification"),
    ("ForTokenClassification", "token-classification", "AutoModelForTokenClassification"),
    ("ForQuestionAnswering", "question-answering", "AutoModelForQuestionAnswering"),
    ("ForMultipleChoice", "multiple-choice", "AutoModelForMultipleChoice"),
    ("ForImageClassification", "image-classification", "AutoModelForImageClassification"),
    ("ForCTC", "automatic-speech-recognition", "AutoModelForCTC"),
    ("ForSpeechSeq2Seq", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq"),
    ("Model", "feature-extraction", "AutoModel"),
)
_PEFT_TASKS = {"CAUSAL_LM": "text-generation", "SEQ_CLS": "text-classification", "TOKEN_CLS": "token-classification"}


def of_model(db: Connection, root: Path, tree: str) -> JSON:
    """What its files say: `library_name`, `pipeline_tag`, `config`, `transformersInfo`, `safetensors`."""
    files = _telling(db, tree)
    found: JSON = {}
    if "adapter_config.json" in files:
        adapter = _read(root, files["adapter_config.json"])
        found["library_name"] = "peft"
        found["config"] = {"peft": {key: adapter.get(key) for key in ("base_model_name_or_path", "task_type")}}
        found["pipeline_tag"] = _PEFT_TASKS.get(str(adapter.get("task_type")))
    elif "config.json" in files:
        found |= {"library_name": "transformers"} | _of_config(_read(root, files["config.json"]))
    if "modules.json" in files:
        found |= {"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"}
    counts: Counter[str] = Counter()
    for path, file in files.items():
        if path.endswith(".safetensors"):
            counts.update(_parameters(path_of(root, file.sha256)))
    if counts:
        found["safetensors"] = {"parameters": dict(counts), "total": counts.total()}
    return {key: value for key, value in found.items() if value is not None}


def _telling(db: Connection, tree: str) -> dict[str, File]:
    """Files from which something is inferred."""
    files = commits.files_from(db, tree, "model")
    files = {path: file for path, file in files.items() if "/" not in path and path.endswith(".safetensors")}
    for path in ("adapter_config.json", "config.json", "modules.json"):
        if file := commits.file_of(db, tree, path):
            files[path] = file
    return files


def _of_config(config: JSON) -> JSON:
    architectures = config.get("architectures")
    names = [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []
    found: JSON = {"config": {"architectures": names, "model_type": config.get("model_type")}}
    for name in names[:1]:
        for ending, tag, auto in _ARCHITECTURES:
            if name.endswith(ending):
                return found | {"pipeline_tag": tag, "transformersInfo": {"auto_model": auto, "pipeline_tag": tag}}
    return found


def _read(root: Path, file: File) -> JSON:
    return _json(path_of(root, file.sha256)) if file.size <= _MOST_JSON else {}


@lru_cache(maxsize=512)
def _json(path: Path) -> JSON:
    """A file's JSON object; `{}` where it has none. Callers must not change it."""
    try:
        parsed = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


@lru_cache(maxsize=512)
def _parameters(path: Path) -> dict[str, int]:
    """Parameters of each type in a safetensors file, by its header; `{}` where it cannot be read."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _MOST_HEADER else {}
        counts: Counter[str] = Counter()
        for name, tensor in header.items():
            if name != "__metadata__":
                counts[str(tensor["dtype"])] += math.prod(int(size) for size in tensor["shape"])
        return dict(counts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, struct.error):
        return {}
