"""`hanjul generate`: lines for a product from a published adapter."""

from __future__ import annotations

from collections.abc import Sequence

from huggingface_hub import HfUri

from pipelines.likelihood.generation import generate_lines
from pipelines.rows import user_message
from pipelines.text.plain_answers import one_copy
from scripts.core.settings import Sampling
from scripts.hub.hub import Hub
from scripts.models import models


def run(
    hub: Hub, adapter: HfUri, product: str, values: Sequence[str], n: int, temperature: float | None, seed: int
) -> list[str]:
    """Up to `n` different lines; fewer where the model repeats itself or says nothing."""

    usual = Sampling()
    model, tokenizer = models.load_adapter(adapter, models.base_of(hub, adapter))
    lines = generate_lines(
        model,
        tokenizer,
        [[user_message(product, values)]] * n,
        temperature=usual.temperature if temperature is None else temperature,
        top_p=usual.top_p,
        max_new_tokens=usual.max_new_tokens,
        seed=seed,
    )
    return list(dict.fromkeys(line for written in lines if (line := one_copy(written))))
