"""`hanjul train --merge`: merge an adapter into its base, as one model that transformers loads without PEFT."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri, ModelCard

from model_card.cards.exports import Source, merged_card
from model_card.cards.licences import identifier_of, may_publish
from pipelines.errors import HanjulError
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage
from scripts.models.models import adapter_config, base_of, load_adapter

#: What goes wherever the weights go: licence files of the adapter repo, and its prompt format.
CARRIED_FILES = ["LICENSE*", "LICENCE*", "NOTICE*", "*TERMS*", "USE_POLICY*", "hanjul.json"]

_NUMBER = "[0-9]" * 5
#: The weights, whole or in shards with their index.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", f"model-{_NUMBER}-of-{_NUMBER}.safetensors")

#: The vocabulary with its scores, which llama.cpp's converter reads and transformers 5 no longer writes.
SENTENCEPIECE = "tokenizer.model"


def repo_of(adapter: HfUri) -> HfUri:
    """Where an adapter's merged model goes."""
    return HfUri(type="model", id=f"{adapter.id}-merged")


def run(hub: Hub, adapter: HfUri, sealed: str | None = None) -> HfUri:
    """Commit the merged model of a pinned adapter to `<adapter>-merged`: bfloat16 safetensors, tokenizer, card.

    Raises:
        HanjulError: this is no adapter, or its licence gives no right to publish it.
    """
    base = base_of(hub, adapter)
    repo = repo_of(adapter)
    inputs = {"adapter": adapter.to_uri(), "base": base.to_uri()}

    def work(folder: Path) -> Outcome:
        source_of(hub, adapter, base, repo)  # a licence that forbids it is known before any weight is loaded
        log(f"merge: {adapter.id} into {base.id}")
        model, _ = write_model(hub, adapter, base, folder / "out")
        copy_licence_files(
            hub, adapter, folder / "out", f"The adapter is merged into its base, {base.id}: a modified work."
        )
        return Outcome(f"{adapter.id} merged into its base", {"parameters": model.num_parameters()})

    def readme(parent: HfUri | None, folder: Path, outcome: Outcome) -> str:
        return merged_card(source_of(hub, adapter, base, repo))

    stage = Stage("merge", repo, inputs, {"dtype": "bfloat16"}, sealed, owns=WEIGHTS)
    return run_stage(hub, stage, work, readme)


def write_model(hub: Hub, adapter: HfUri, base: HfUri, out: Path) -> tuple[Any, Any]:
    """Write the merged model with its tokenizer and generation config to `out`; return model and tokenizer."""
    model, tokenizer = load_adapter(adapter, base)
    if getattr(model.config, "tie_encoder_decoder", False):
        model.config.tie_encoder_decoder = False  # encoder and decoder have learnt different things
    save(hub, model, tokenizer, base, out)
    return model, tokenizer


def save(hub: Hub, model: Any, tokenizer: Any, base: HfUri, out: Path) -> None:
    """Write a model and its tokenizer to `out`, with the pieces of the base's tokenizer where it has them."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    pieces = hub.file(base, SENTENCEPIECE)
    if pieces:
        shutil.copyfile(pieces, out / SENTENCEPIECE)


def copy_licence_files(hub: Hub, adapter: HfUri, out: Path, changes: str) -> None:
    """Copy the licence files of the adapter; its NOTICE, where it has one, says what was changed here."""
    folder = hub.snapshot(adapter, CARRIED_FILES)  # what was fetched before stands there too
    for path in {path for pattern in CARRIED_FILES for path in folder.glob(pattern)}:
        shutil.copyfile(path, out / path.name)
    notice = out / "NOTICE"
    if notice.is_file():
        notice.write_text(f"{notice.read_text(encoding='utf-8')}\n{changes}\n", encoding="utf-8")


def source_of(hub: Hub, adapter: HfUri, base: HfUri, repo: HfUri) -> Source:
    """Collect what the card says of adapter and base.

    Raises:
        HanjulError: the licence on the adapter's card gives no right to publish it.
    """
    data = ModelCard(hub.text(adapter, "README.md")).data
    licence = identifier_of(data.get("license"), data.get("license_name"))
    if not may_publish(licence):
        raise HanjulError(
            f"The licence of this adapter ({licence}) gives no right to publish its weights in another form",
            adapter.to_uri(),
            "name the licence on the adapter's card, if you hold the right",
        )
    datasets = data.get("datasets") or []
    return Source(
        repo_id=repo.id,
        adapter=adapter.id,
        adapter_revision=str(adapter.revision),
        base_model=base.id,
        datasets=tuple([datasets] if isinstance(datasets, str) else datasets),
        licence=licence,
        encoder_decoder=adapter_config(adapter).task_type == "SEQ_2_SEQ_LM",
    )
