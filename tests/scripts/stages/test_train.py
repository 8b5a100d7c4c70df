"""Training on a tiny Gemma 3: loss, seeds, resumption, errors, and what an adapter repo holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfUri, ModelCard

from pipelines.errors import HanjulError
from pipelines.rows import PROMPT_FORMAT
from scripts.core.settings import TrainSettings
from scripts.stages import train
from scripts.training import preflight
from tests.tiny import language_model

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = TrainSettings(repo="tiny-train-lora", batch_size=4, max_steps=4, learning_rate=1e-2)


@pytest.fixture(scope="module")
def pinned(hub, tmp_path_factory: pytest.TempPathFactory) -> tuple[HfUri, HfUri]:
    """A tiny dataset and a tiny base on the local Hub."""
    folder = tmp_path_factory.mktemp("base")
    language_model.save_base(folder)
    (folder / "README.md").write_text("---\nlicense: gemma\n---\n")
    base = hub.repo("model", "tiny-training-base")
    hub.api.create_repo(base.id)
    hub.api.upload_folder(repo_id=base.id, folder_path=folder)
    data = hub.repo("dataset", "tiny-training-rows")
    hub.api.create_repo(data.id, repo_type="dataset")
    folder = tmp_path_factory.mktemp("data")
    from datasets import concatenate_datasets

    both = concatenate_datasets([language_model.rows(16), language_model.rows(16, "synthesised")])
    both.to_parquet(folder / "train.parquet")
    language_model.rows(8).to_parquet(folder / "validation.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet\n"
        "  - split: validation\n    path: validation.parquet\n---\n"
    )
    hub.api.upload_folder(repo_id=data.id, folder_path=folder, repo_type="dataset")
    return hub.resolve(data), hub.resolve(base)


def test_memory_estimate_counts_logits_and_refuses_what_does_not_fit(
    hub, pinned: tuple[HfUri, HfUri], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = language_model.model(300).config
    small, large = (preflight.peak_bytes(config, SETTINGS, 40, tokens, 1) for tokens in (8, 16))
    assert large - small == 4 * 8 * 300 * 14  # batch, tokens, vocabulary, bytes
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000})())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HanjulError, match="Training needs about"):
        preflight.check_memory(pinned[1], SETTINGS, (40, 20), 1)


FRESH = """
import sys
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer
model = AutoPeftModelForCausalLM.from_pretrained(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "상품: 향초"}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
)
output = model.generate(**prompt, max_new_tokens=4, do_sample=False)
print(output.shape[1] - prompt["input_ids"].shape[1], tokenizer.decode(prompt["input_ids"][0]))
"""


def test_an_adapter_repo_is_whole_and_works_in_a_fresh_process(
    hub, pinned: tuple[HfUri, HfUri], tmp_path: Path
) -> None:
    data, base = pinned
    uri = train.run(hub, data, base, SETTINGS, seed=1)
    files = set(hub.api.list_repo_files(uri.id, revision=uri.revision))
    assert {
        "README.md", "NOTICE", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
        "generation_config.json", "hanjul.json", "manifest.json", "tokenizer.json", "tokenizer_config.json",
        "training/curve.json", "training/curve.png",
    } <= files  # fmt: skip
    assert not [name for name in files if "checkpoint" in name or name.endswith(".bin")]
    config = json.loads(hub.text(uri, "adapter_config.json"))
    assert (config["base_model_name_or_path"], config["revision"], config["r"]) == (base.id, None, SETTINGS.lora_r)
    assert json.loads(hub.text(uri, "hanjul.json")) == {"prompt_format": PROMPT_FORMAT, "method": "sft"}
    assert json.loads(hub.text(uri, "generation_config.json"))["eos_token_id"] == [1]
    manifest = hub.manifest(uri)
    assert manifest["inputs"] == {"dataset": data.to_uri(), "base": base.to_uri()}
    assert manifest["counts"] == {"in": 32, "validation": 8, "steps": 4}
    card = ModelCard(hub.text(uri, "README.md"))
    assert (card.data.library_name, card.data.license, card.data.base_model) == ("peft", "gemma", base.id)
    assert train.run(hub, data, base, SETTINGS, seed=1) == uri  # found, not trained again

    only = {"HF_ENDPOINT": os.environ["HF_ENDPOINT"], "HF_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", FRESH, uri.id], cwd=tmp_path, env=only, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().split(" ", 1)[1] == "<bos>상품: 향초\n카피:"


def test_sources_choose_the_rows(hub, pinned: tuple[HfUri, HfUri]) -> None:
    settings = SETTINGS.model_copy(update={"repo": "tiny-written-lora", "max_steps": 1})
    uri = train.run(hub, *pinned, settings, seed=1, sources=["written"])
    assert hub.manifest(uri)["counts"]["in"] == 16
    with pytest.raises(HanjulError, match="0 rows in config default: too few"):
        train.run(hub, *pinned, settings, seed=1, sources=["imported"])


def test_a_missing_column_is_named(hub, pinned: tuple[HfUri, HfUri], tmp_path: Path) -> None:
    _, base = pinned
    data = hub.repo("dataset", "tiny-broken")
    hub.api.create_repo(data.id, repo_type="dataset")
    for split in ("train", "validation"):
        language_model.rows(16).remove_columns("completion").to_parquet(tmp_path / f"{split}.parquet")
    hub.api.upload_folder(repo_id=data.id, folder_path=tmp_path, repo_type="dataset")
    with pytest.raises(HanjulError, match="No column completion in split train of config default"):
        train.run(hub, hub.resolve(data), base, SETTINGS, seed=1)
