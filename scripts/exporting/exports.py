"""Publish the exports of an adapter that a recipe asks for."""

from __future__ import annotations

from huggingface_hub import HfUri

from scripts.core.settings import TrainSettings
from scripts.exporting import gguf_export, merge
from scripts.hub import ownership
from scripts.hub.hub import Hub


def check(hub: Hub, adapter: HfUri, settings: TrainSettings) -> None:
    """
    Args:
        adapter: where it will be published, before it is trained.

    Raises:
        HanjulError: others have filled a repo that an export would go to.
    """
    if settings.merge:
        ownership.check(hub, merge.repo_of(adapter), "merge")
    if settings.gguf:
        ownership.check(hub, gguf_export.repo_of(adapter), "gguf")


def run(
    hub: Hub, adapter: HfUri, dataset: HfUri, settings: TrainSettings, sealed: str | None = None
) -> dict[str, HfUri]:
    """Publish the merged model and its GGUFs where the recipe asks for them: `merged` and `gguf`, pinned."""
    exports: dict[str, HfUri] = {}
    if settings.merge:
        exports["merged"] = merge.run(hub, adapter, sealed)
    if settings.gguf:
        exports["gguf"] = gguf_export.run(hub, adapter, dataset, sealed)
    return exports
