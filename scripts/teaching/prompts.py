"""Chooses what a teacher is shown: nothing where it was tuned on our prompt, else examples beside the pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.synthesis.prompts import PromptBuilder
from scripts.core.settings import SynthesizeSettings
from scripts.hub.hub import Hub
from scripts.teaching.examples import Examples


def prompt_builder(
    hub: Hub, settings: SynthesizeSettings, examples: Examples | None, people: Sequence[Any], seed: int
) -> PromptBuilder:
    """What makes the prompt of a pair.

    Args:
        examples: where they come from; None for a teacher that was tuned on our prompt.
        people: rows of the dataset that people wrote.
    """
    if examples is None:
        return PromptBuilder(lines=0)
    return PromptBuilder(settings.candidates, settings.examples, examples.pools(hub, people), seed)
