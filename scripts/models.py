"""Base models and adapters, resolved to a sha and loaded the way every downstream user loads them."""

from __future__ import annotations

import contextlib
from typing import Any

from huggingface_hub import HfUri

from scripts.errors import HanjulError
from scripts.hub import Hub
from scripts.settings import TrainSettings

#: The base whose weights travel with Hanjul's dependencies (scripts/embedded.py).
EMBEDDED = "google/gemma-3-270m"


def resolve_base(hub: Hub, settings: TrainSettings) -> HfUri:
    """The base model of a recipe, pinned. The local Hub is given the embedded one when it is asked for."""
    if hub.is_local and settings.base_model == EMBEDDED and settings.base_revision is None:
        from scripts.embedded import ensure_base

        return ensure_base(hub)
    return hub.resolve(HfUri(type="model", id=settings.base_model, revision=settings.base_revision))


def base_of(hub: Hub, adapter: HfUri) -> HfUri:
    """The base model that an adapter was trained on, pinned where its manifest says so."""
    uri = hub.manifest(adapter).get("inputs", {}).get("base")
    if uri:
        return hub.resolve(uri)
    config = adapter_config(adapter)
    return hub.resolve(HfUri(type="model", id=str(config.base_model_name_or_path), revision=config.revision))


def start_of(hub: Hub, adapter: HfUri) -> HfUri | None:
    """The SFT adapter that a preference-tuned one started from, pinned; None for others."""
    uri = hub.manifest(adapter).get("inputs", {}).get("start")
    return hub.resolve(uri) if uri else None


def scorer_of(hub: Hub, adapter: HfUri, base: HfUri) -> HfUri:
    """The model whose likelihoods judge an adapter's lines: its base, where that is causal, else the embedded one."""
    if adapter_config(adapter).task_type != "SEQ_2_SEQ_LM":
        return base
    return resolve_base(hub, TrainSettings(base_model=EMBEDDED))


def adapter_config(uri: HfUri) -> Any:
    """The PEFT config of a pinned adapter.

    Raises:
        HanjulError: there is none.
    """
    from peft import PeftConfig

    try:
        return PeftConfig.from_pretrained(uri.id, revision=uri.revision)
    except ValueError as error:  # no adapter_config.json
        raise HanjulError(
            "This repository holds no PEFT adapter", uri.to_uri(), "give the URI of an adapter"
        ) from error


def is_encoder_decoder(uri: HfUri) -> bool:
    """Whether a pinned base reads with an encoder and writes with a decoder."""
    from transformers import AutoConfig

    return bool(AutoConfig.from_pretrained(uri.id, revision=uri.revision).is_encoder_decoder)


def load(uri: HfUri) -> tuple[Any, Any]:
    """Model (bfloat16, evaluation mode) and tokenizer of a pinned base, or of an adapter merged into its base."""
    try:
        adapter_config(uri)
    except HanjulError:
        return load_base(uri)
    return load_adapter(uri)


def load_base(uri: HfUri) -> tuple[Any, Any]:
    """Model (bfloat16, evaluation mode) and tokenizer of a pinned base."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, logging

    from scripts.training.loading import model_class

    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(uri.id, revision=uri.revision)
    model = (
        model_class(config).from_pretrained(uri.id, revision=uri.revision, config=config, dtype=torch.bfloat16).eval()
    )
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

    config = adapter_config(uri)
    base = base or HfUri(type="model", id=config.base_model_name_or_path, revision=config.revision)
    plain = load_base(base)[0]
    model = PeftModel.from_pretrained(plain, uri.id, revision=uri.revision).merge_and_unload().eval()
    with contextlib.suppress(OSError):  # an adapter of somebody else may have none
        model.generation_config = GenerationConfig.from_pretrained(uri.id, revision=uri.revision)
    return model, AutoTokenizer.from_pretrained(uri.id, revision=uri.revision)
