"""Reads a chat completion: texts, tokens, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.endpoint.failures import Failure, FailureKind, TransientError
from pipelines.endpoint.json_answers import storable

#: Tokens whose alternatives are kept: a digit, the answer to a closed question. Those of all the words of a sentence
#: would make an answer fifty times as large.
WEIGHED = re.compile(r"\W*[0-9]\W*")
#: A token, and the logarithms of the probabilities of tokens that might have stood there.
Token = tuple[str, dict[str, float]]
#: Why a model that thinks first may give no text.
TOO_SHORT = "the answer ended before it began; raise `max_new_tokens`"


@dataclass(frozen=True)
class Reply:
    """The answer to one request: the text of each choice, and how many tokens that took.

    Attributes:
        failure: why there is no text; the message of a refusal is what the model said, empty where a filter refused.
        tokens: of each choice, with the alternatives to those that `WEIGHED` matches; none where the request asked for
            no `logprobs`, or the endpoint gives none.
        model: who answered, as the endpoint says; empty where it does not, and in what earlier versions kept.
        kept: it was answered before.
    """

    texts: list[str]
    input_tokens: int = 0
    output_tokens: int = 0
    failure: Failure | None = None
    tokens: list[list[Token]] = field(default_factory=list)
    model: str = field(default="", compare=False)
    kept: bool = field(default=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """What the store keeps, for `from_json`."""
        # Not `asdict`, which copies every token.
        fields = {name: value for name, value in vars(self).items() if name != "kept"}
        return fields | {"failure": self.failure.to_json() if self.failure else None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Reply | None:
        """A reply that was kept, with or without tokens; None where there is none."""
        if not kept or (kept["failure"] and isinstance(kept["failure"], str)):  # as failures were kept before; no text
            return None
        tokens = [[(token, weights) for token, weights in choice] for choice in kept.get("tokens", [])]
        return cls(**{**kept, "failure": Failure.from_json(kept["failure"]), "tokens": tokens, "kept": True})


def usage_of(answer: Any) -> tuple[int, int]:
    """Tokens of prompt and answer; (0, 0) where the answer does not say.

    Raises:
        TransientError: it is not what the protocol says.
    """
    try:
        usage = answer.get("usage") or {}
        return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (AttributeError, TypeError, ValueError) as error:
        raise _garbage(answer) from error


def read_reply(answer: Any, *, weighed: bool = False) -> Reply:
    """The reply that a chat completion, as JSON, holds.

    Args:
        weighed: with its tokens.

    Raises:
        TransientError: it is not what the protocol says.
    """
    counts = usage_of(answer)
    try:
        choices = answer["choices"]
        texts = [_text(choice["message"]) for choice in choices]
        refusals = [choice["message"]["refusal"] for choice in choices if choice["message"].get("refusal")]
        ends = [choice.get("finish_reason") for choice in choices]
        tokens = [_tokens(choice) for choice in choices] if weighed else []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _garbage(answer) from error
    if not texts:
        raise TransientError("garbage: an answer without choices")
    model = answer.get("model")
    about: dict[str, Any] = {"model": model if isinstance(model, str) else ""}
    if any(texts):
        return Reply([storable(text) for text in texts], *counts, tokens=tokens if any(tokens) else [], **about)
    if refusals or "content_filter" in ends:
        return Reply(
            [], *counts, failure=Failure(FailureKind.REFUSED, storable(refusals[0]) if refusals else ""), **about
        )
    if "length" in ends:
        return Reply([], *counts, failure=Failure(FailureKind.UNUSABLE, TOO_SHORT), **about)
    return Reply(texts, *counts, **about)


def _garbage(answer: Any) -> TransientError:
    return TransientError(f"garbage instead of a chat completion: {str(answer)[:80]}")


def _text(message: Mapping[str, Any]) -> str:
    """The content of a message, as text or in parts.

    Raises:
        TypeError, AttributeError, KeyError: it is neither.
    """
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(f"content: {content}")
    return content


def _tokens(choice: Mapping[str, Any]) -> list[Token]:
    """The tokens of a choice; none where it says nothing of probabilities."""
    tokens = (choice.get("logprobs") or {}).get("content") or []
    return [(_spelling(token), _weights(token) if WEIGHED.fullmatch(token["token"]) else {}) for token in tokens]


def _spelling(token: Mapping[str, Any]) -> str:
    """A token as text; half a syllable, as which Hangul is often cut, becomes U+FFFD."""
    return storable(token["token"])


def _weights(token: Mapping[str, Any]) -> dict[str, float]:
    alternatives = token.get("top_logprobs") or []
    return {_spelling(other): float(other["logprob"]) for other in alternatives if other.get("logprob") is not None}
