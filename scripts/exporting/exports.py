"""What the recipe has made of an adapter."""

from __future__ import annotations

from huggingface_hub import HfUri

from scripts.core.settings import TrainSettings
from scripts.hub.hub import Hub


def run(
    hub: Hub, adapter: HfUri, dataset: HfUri, settings: TrainSettings, sealed: str | None = None
) -> dict[str, HfUri]:
    """Publish the merged model and its GGUFs where the recipe asks for them: `merged` and `gguf`, pinned."""
    from scripts.exporting import gguf, merge

    found: dict[str, HfUri] = {}
    if settings.merge:
        found["merged"] = merge.run(hub, adapter, sealed)
    if settings.gguf:
        found["gguf"] = gguf.run(hub, adapter, dataset, sealed)
    return found
