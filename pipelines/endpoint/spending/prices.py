"""Prices of models by genai-prices, and the tokens that a request may take before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genai_prices import Usage, calc_price

#: Tokens of a chat message beside its content (role, separators), at most.
TOKENS_PER_MESSAGE = 8
#: Tokens per byte of UTF-8 in a typical prompt of ours, for estimates: a Hangul syllable has three bytes and takes
#: about one token (o200k_base: 0.30 to 0.36 over the prompts, Gemma's 262k vocabulary: 0.27 to 0.33).
TYPICAL_TOKENS_PER_BYTE = 1 / 3
#: What providers charge for batches, relative to requests answered at once (OpenAI, Azure).
BATCH_DISCOUNT = 0.5


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float

    def usd(self, input_tokens: int, output_tokens: int) -> float:
        """The cost of so many tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000

    def halved(self) -> Price:
        """The price of a batch."""
        return Price(self.input * BATCH_DISCOUNT, self.output * BATCH_DISCOUNT)


def price_of(model: str, base_url: str) -> Price | None:
    """The listed price of a model at its provider, or None where none is listed (an own server, a new model)."""
    million = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    try:
        price = calc_price(million, model, provider_api_url=base_url)
    except LookupError:
        return None
    return Price(float(price.input_price), float(price.output_price))


def most_input_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """A bound that no tokenizer over bytes can pass: one token a byte."""
    return sum(len(message["content"].encode()) + TOKENS_PER_MESSAGE for message in messages)


def typical_input_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """An estimate for a Korean prompt."""
    size = sum(len(message["content"].encode()) for message in messages)
    return round(size * TYPICAL_TOKENS_PER_BYTE) + TOKENS_PER_MESSAGE * len(messages)
