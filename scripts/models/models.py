"""Base models and adapters, resolved to a sha and loaded the way every downstream user loads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri, hf_hub_download
from huggingface_hub.errors import RemoteEntryNotFoundError

from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.core.settings import TrainSettings
from scripts.hub.hub import Hub
from scripts.hub.names import base_uri
from scripts.models.embedded import EMBEDDED, ensure_base
from scripts.training.loading import model_class

CONFIG, GENERATION, WEIGHTS = "adapter_config.json", "generation_config.json", "adapter_model.safetensors"


def resolve_base(hub: Hub, settings: TrainSettings) -> HfUri:
    """The base model of a recipe, pinned. The local Hub is given the embedded one when it is asked for."""
    if hub.is_local and settings.base_model == EMBEDDED and settings.base_revision is None:
        return ensure_base(hub)
    return hub.resolve(base_uri(settings.base_model, settings.base_revision, "train.base_model"))


def base_of(hub: Hub, adapter: HfUri) -> HfUri:
    """The base model that an adapter was trained on, pinned where its manifest says so."""
    uri = hub.manifest(adapter).get("inputs", {}).get("base")
    if uri:
        return hub.resolve(uri)
    return hub.resolve(_named_base(adapter))


def _named_base(adapter: HfUri) -> HfUri:
    """The base that an adapter's config names.

    Raises:
        HanjulError: that is no repo: a folder of whoever trained it, say.
    """
    config = adapter_config(adapter)
    key = f"base_model_name_or_path of {adapter.to_uri()}/{CONFIG}"
    return base_uri(str(config.base_model_name_or_path), config.revision, key)


def start_of(hub: Hub, adapter: HfUri) -> HfUri | None:
    """The SFT adapter that a preference-tuned one started from, pinned; None for others."""
    uri = hub.manifest(adapter).get("inputs", {}).get("start")
    return hub.resolve(uri) if uri else None


def is_judge(hub: Hub, uri: HfUri) -> bool:
    """Whether a pinned model is an adapter that was trained as a judge."""
    return bool(json.loads(hub.text(uri, "hanjul.json") or "{}").get("method") == "judge")


def scorer_of(hub: Hub, bases: Sequence[HfUri], named: str | None = None) -> HfUri:
    """The pinned model whose likelihoods judge: the one that is named, else the base, else the embedded one.

    A base that is not causal has no likelihoods to judge by, and of several none judges the others.

    Raises:
        HanjulError: the one that is named is not causal.
    """
    if named:
        scorer = hub.resolve(named, "model")
        if is_encoder_decoder(base_of(hub, scorer) if is_adapter(scorer) else scorer):
            raise HanjulError(
                "An encoder-decoder has no likelihoods to judge by", scorer.to_uri(), "name another scorer"
            )
        return scorer
    known = set(bases)
    if len(known) == 1 and not is_encoder_decoder(bases[0]):
        return bases[0]
    return resolve_base(hub, TrainSettings(base_model=EMBEDDED))


def origin(hub: Hub, adapter: HfUri) -> HfUri:
    """The commit that an adapter was evaluated at, if its newest one is the evaluation of the same weights, else it."""
    manifest = hub.manifest(adapter)
    if manifest.get("stage") != "evaluate":
        return adapter
    before = hub.resolve(manifest["inputs"]["adapter"])
    now, then = (hub.file(uri, WEIGHTS) for uri in (adapter, before))
    return before if now and then and now.read_bytes() == then.read_bytes() else adapter


def is_adapter(uri: HfUri) -> bool:
    """Whether a pinned repo holds a PEFT adapter."""
    return _file(uri, CONFIG) is not None


def adapter_config(uri: HfUri) -> Any:
    """The PEFT config of a pinned adapter.

    Raises:
        HanjulError: there is none.
    """
    from peft import PeftConfig

    path = _file(uri, CONFIG)
    if path is None:
        raise HanjulError("This repository holds no PEFT adapter", uri.to_uri(), "give the URI of an adapter")
    return PeftConfig.from_pretrained(path.parent)


def _file(uri: HfUri, name: str) -> Path | None:
    """A file of a pinned model; None where the Hub says that it is not there, not where the Hub says nothing.

    PEFT and transformers take whatever goes wrong here for a file that is not there.
    """
    try:
        return Path(hf_hub_download(uri.id, name, revision=uri.revision))
    except RemoteEntryNotFoundError:
        return None


def is_encoder_decoder(uri: HfUri) -> bool:
    """Whether a pinned base reads with an encoder and writes with a decoder."""
    from transformers import AutoConfig

    return bool(AutoConfig.from_pretrained(uri.id, revision=uri.revision).is_encoder_decoder)


def load_base(uri: HfUri) -> tuple[Any, Any]:
    """Model (bfloat16, evaluation mode) and tokenizer of a pinned base."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, logging

    logging.disable_progress_bar()
    with Progress(f"loading {uri.id}"):
        config = AutoConfig.from_pretrained(uri.id, revision=uri.revision)
        kind = model_class(config)
        model = kind.from_pretrained(uri.id, revision=uri.revision, config=config, dtype=torch.bfloat16).eval()
    return model, AutoTokenizer.from_pretrained(uri.id, revision=uri.revision)


def load_adapter(uri: HfUri, base: HfUri | None = None) -> tuple[Any, Any]:
    """Adapter merged into its base (bfloat16, evaluation mode) and the adapter's own tokenizer.

    Args:
        base: pinned; without it the one that the adapter's config names.

    Raises:
        HanjulError: there is no adapter.
    """
    from peft import PeftModel
    from transformers import AutoTokenizer, GenerationConfig

    plain = load_base(base or _named_base(uri))[0]
    model = PeftModel.from_pretrained(plain, uri.id, revision=uri.revision).merge_and_unload().eval()
    # PEFT has frozen the base. At a frozen head torch multiplies the last places of a batch of prompts one by one, each
    # with a copy of the head: 340 MB and two seconds for each prompt.
    model.requires_grad_(True)
    if generation := _file(uri, GENERATION):  # an adapter of somebody else may have none
        model.generation_config = GenerationConfig.from_pretrained(generation.parent)
    return model, AutoTokenizer.from_pretrained(uri.id, revision=uri.revision)
