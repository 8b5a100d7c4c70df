"""The weights that the bench writes with: a LoRA on the embedded base, on the local Hub, merged and as a GGUF."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from huggingface_hub import HfUri
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipelines.corpus import load_corpus
from pipelines.rows import CHAT_TEMPLATE, PROMPT_FORMAT, user_message
from scripts.exporting import convert, trim
from scripts.exporting.kept_tokens import choose_tokens
from scripts.exporting.merge import write_model
from scripts.exporting.vocabulary import read_vocabulary
from scripts.hub.hub import Hub
from scripts.models.embedded import ensure_base
from tests.tiny import gemma, language_model


@dataclass(frozen=True)
class Weights:
    """An adapter on the Hub, its merged model as a folder, and what `settings.json` says of its GGUF."""

    adapter: HfUri
    merged: Path
    gguf: dict[str, str | None]


def make(hub: Hub, folder: Path, smoke: bool) -> Weights:
    """Put base, adapter and GGUF (Q8_0, trimmed; for a smoke run whole, in bfloat16) on the local Hub.

    The LoRA's weights are random and small: it costs what a trained one costs, and lines still end as the base's do.
    """
    base = _uploaded(hub, "bench-base", taught(gemma.save_base(folder / "base"))) if smoke else ensure_base(hub)
    tokenizer = AutoTokenizer.from_pretrained(hub.snapshot(base))
    adapter = _uploaded(hub, "bench-lora", save_adapter(folder / "adapter", base, tokenizer))
    write_model(hub, adapter, base, folder / "merged")
    shutil.copytree(folder / "merged", folder / "converted")
    if smoke:
        shutil.copyfile(folder / "base" / "tokenizer.model", folder / "converted" / "tokenizer.model")
    (folder / "gguf").mkdir()
    file = convert.convert_to_gguf(folder / "converted", folder / "gguf" / "model.gguf", "bench")
    if not smoke:
        whole = convert.quantise(file, folder / "whole.gguf", trim.WHOLE)
        lines = [user_message(row["product"], row["values"])["content"] + row["ad_copy"] for row in load_corpus()]
        used = {number for ids in tokenizer(lines).input_ids for number in ids}
        trim.trim(whole, file, choose_tokens(read_vocabulary(GGUFReader(whole)), used))
    repo = _uploaded(hub, "bench-gguf", folder / "gguf")
    gguf = {"repo": repo.id, "revision": repo.revision, "file": file.name, "base_file": None}
    return Weights(adapter, folder / "merged", gguf)


def save_adapter(folder: Path, base: HfUri, tokenizer: Any) -> Path:
    """A LoRA of the size that `hanjul train` makes, with what a Space needs to know of it."""
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_pretrained(base.id, revision=base.revision, dtype=torch.bfloat16)
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.001)
    model.save_pretrained(folder)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    (folder / "hanjul.json").write_text(json.dumps({"prompt_format": PROMPT_FORMAT}), encoding="utf-8")
    (folder / "README.md").write_text("---\nlicense: gemma\n---\n", encoding="utf-8")
    return folder


def taught(folder: Path) -> Path:
    """The tiny base, once it has learnt to end its lines."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).float()
    tokenizer.chat_template = CHAT_TEMPLATE
    turns = [
        [user_message(product, language_model.VALUES[:1]), {"role": "assistant", "content": line}]
        for product in language_model.PRODUCTS
        for line in language_model.LINES
    ]
    tokenizer.padding_side = "right"
    batch = tokenizer.apply_chat_template(turns, padding=True, return_tensors="pt", return_dict=True)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _uploaded(hub: Hub, name: str, folder: Path) -> HfUri:
    repo = hub.repo("model", name)
    hub.api.create_repo(repo.id, exist_ok=True)
    hub.api.upload_folder(repo_id=repo.id, folder_path=folder)
    return hub.resolve(repo)
