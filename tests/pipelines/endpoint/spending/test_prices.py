from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pipelines.endpoint.spending.prices import (
    TOKENS_PER_MESSAGE,
    Price,
    most_input_tokens,
    price_of,
    typical_input_tokens,
)
from pipelines.planning.taxonomy import load_craft
from pipelines.slogans import load_slogans
from pipelines.synthesis.prompts import build_prompt

PAIR = {"id": "1", "product": "모카포트", "values": ["여유"], "device": "pun", "tone": "warm"}


def byte_level(merges: int) -> Tokenizer:
    """A tokenizer over bytes that has learnt so many merges from our slogans; 0 makes a token of every byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if merges:
        trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([row["ad_copy"] for row in load_slogans()], trainer)
    return tokenizer


BYTES, LEARNT = byte_level(0), byte_level(500)


def test_a_known_model_has_its_listed_price():
    from genai_prices import Usage, calc_price

    found = price_of("gpt-4o-mini", "https://api.openai.com/v1")
    assert found == Price(input=0.15, output=0.6)
    listed = calc_price(Usage(input_tokens=2_000, output_tokens=500), "gpt-4o-mini", provider_id="openai")
    assert found.usd(2_000, 500) == pytest.approx(float(listed.total_price)) == pytest.approx(0.0006)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("copywriter-1", "https://api.openai.com/v1"),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gemma-3-27b-it", "http://localhost:8080/v1"),
        ("", ""),
    ],
)
def test_an_unknown_model_or_place_has_none(model, base_url):
    assert price_of(model, base_url) is None


def test_a_batch_costs_half():
    price = Price(input=3.0, output=12.0)
    assert price.usd(1_000_000, 0) == 3.0
    assert price.usd(0, 500_000) == 6.0
    assert price.halved().usd(123_456, 7_890) == pytest.approx(price.usd(123_456, 7_890) / 2)


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_no_tokenizer_over_bytes_passes_the_bound(texts):
    messages = [{"role": "user", "content": text} for text in texts]
    real = [sum(len(tokenizer.encode(text).ids) for text in texts) for tokenizer in (BYTES, LEARNT)]
    bound = most_input_tokens(messages)
    assert real[1] <= real[0] == bound - TOKENS_PER_MESSAGE * len(texts)


def test_an_estimate_is_a_third_of_the_bound():
    messages = build_prompt(PAIR, load_slogans()[:12], load_craft(), 4)
    size = sum(len(message["content"].encode()) for message in messages)
    assert most_input_tokens(messages) == size + 2 * TOKENS_PER_MESSAGE
    assert abs(typical_input_tokens(messages) - 2 * TOKENS_PER_MESSAGE - size / 3) <= 0.5
