"""The head's loss against plain cross entropy, and when it may stand in for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma2Config, Gemma2ForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM

from scripts.training import completion_loss
from tests.tiny import language_model


@given(tokens=st.integers(1, 9), chunk=st.integers(1, 9), scale=st.floats(0.1, 30), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_loss_and_gradient_are_those_of_cross_entropy(tokens: int, chunk: int, scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    weight, targets = torch.randn(11, 6), torch.randint(0, 11, (tokens,))
    ours = (torch.randn(tokens, 6) * scale).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completion_loss, "CHUNK", chunk)
        loss = completion_loss.summed_loss(ours, weight, targets) / 3
    expected = F.cross_entropy(theirs @ weight.t(), targets, reduction="sum") / 3
    loss.backward()
    expected.backward()
    assert float(loss) == pytest.approx(float(expected), rel=1e-4, abs=1e-4)
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-4)


def test_the_loss_stands_in_for_logits_only_where_they_are_the_head_s_own() -> None:
    size: dict[str, Any] = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2}
    capped = Gemma2ForCausalLM(Gemma2Config(**size, **heads, num_key_value_heads=1, head_dim=8))
    neox = GPTNeoXForCausalLM(GPTNeoXConfig(**size, **heads))
    gemma = language_model.model(40)
    for model in (capped, neox, gemma):
        model.requires_grad_(False)
    assert [completion_loss.is_last(model) for model in (capped, neox, gemma)] == [False, True, True]
    gemma.get_output_embeddings().weight.requires_grad_(True)
    assert not completion_loss.is_last(gemma)  # its gradient would be lost


def test_the_head_sees_the_asked_positions_and_is_put_back() -> None:
    model = language_model.model(40).requires_grad_(False)
    ids = torch.tensor([[4, 5, 6, 7], [8, 9, 10, 11]])
    positions = torch.tensor([[False, True, True, False], [False, False, True, False]])
    targets = torch.tensor([6, 7, 11])
    own = model.get_output_embeddings()
    logits = completion_loss.completion_logits(model, own, {"input_ids": ids}, positions)
    assert logits.shape == (3, 40)
    with completion_loss.loss_in_place_of_logits(own, positions, targets):
        loss = model(input_ids=ids).logits
    plain = model(input_ids=ids).logits
    assert plain.shape == (2, 4, 40)
    expected = F.cross_entropy(plain[positions].float(), targets, reduction="sum")
    assert float(loss) == pytest.approx(float(expected), rel=1e-2)  # bfloat16
    assert float(completion_loss.row_losses(logits, targets, positions).sum()) == pytest.approx(
        float(expected), rel=1e-2
    )
