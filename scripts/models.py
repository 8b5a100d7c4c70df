"""Base models and adapters, resolved to a sha and loaded the way every downstream user loads them."""

from __future__ import annotations

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
    from peft import PeftConfig

    config = PeftConfig.from_pretrained(adapter.id, revision=adapter.revision)
    return hub.resolve(HfUri(type="model", id=str(config.base_model_name_or_path), revision=config.revision))


def load_base(uri: HfUri) -> tuple[Any, Any]:
    """Model (bfloat16, evaluation mode) and tokenizer of a pinned base."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, logging

    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(uri.id, revision=uri.revision, dtype=torch.bfloat16).eval()
    return model, AutoTokenizer.from_pretrained(uri.id, revision=uri.revision)


def load_adapter(uri: HfUri) -> tuple[Any, Any]:
    """Adapter merged into its base (bfloat16, evaluation mode) and the adapter's own tokenizer."""
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer, logging

    logging.disable_progress_bar()
    try:
        model = AutoPeftModelForCausalLM.from_pretrained(uri.id, revision=uri.revision, dtype=torch.bfloat16)
    except ValueError as error:  # no adapter_config.json
        raise HanjulError(
            "This repository holds no PEFT adapter", uri.to_uri(), "give the URI of an adapter"
        ) from error
    return model.merge_and_unload().eval(), AutoTokenizer.from_pretrained(uri.id, revision=uri.revision)
