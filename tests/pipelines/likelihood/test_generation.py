"""What is drawn next, and what ends a line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pipelines.likelihood import generation
from tests.tiny import characters


@pytest.mark.parametrize(
    ("temperature", "top_p", "shares"),
    [
        (1.0, 1.0, [0.6, 0.3, 0.1]),
        (1.0, 0.8, [2 / 3, 1 / 3, 0.0]),  # the third is not needed for 0.8
        (0.5, 1.0, [36 / 46, 9 / 46, 1 / 46]),
    ],
)
def test_tokens_are_drawn_by_their_share_of_the_nucleus(temperature: float, top_p: float, shares: list[float]) -> None:
    torch.manual_seed(0)
    logits = torch.tensor([0.6, 0.3, 0.1]).log().repeat(20_000, 1)
    left = generation._draw(temperature, top_p)(None, logits)
    assert torch.isfinite(left).sum(1).eq(1).all()
    found = left.argmax(1).bincount(minlength=3) / len(logits)
    assert found.tolist() == pytest.approx(shares, abs=0.02)


def test_only_the_likeliest_tokens_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "TOP_K", 2)
    left = generation._draw(1.0, 1.0)(None, torch.tensor([[1.0, 3.0, 2.0]]).repeat(500, 1))
    assert set(left.argmax(1).tolist()) == {1, 2}


@pytest.mark.parametrize(("named", "ends"), [(2, [2]), ([2, 1], [2, 1]), (None, [2])])
def test_a_line_ends_with_the_answer_or_at_a_line_break(named: Any, ends: list[int]) -> None:
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=named))
    assert generation._ends(model, characters.tokenizer(["가", "\n", "나", "\n\n"])) == [*ends, 5, 7]
