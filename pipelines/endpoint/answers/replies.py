"""Reads a chat completion: texts, tokens, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.endpoint.answers.error_bodies import read_error
from pipelines.endpoint.answers.json_answers import storable
from pipelines.endpoint.answers.payloads import described, shortened
from pipelines.endpoint.answers.thoughts import without_thoughts
from pipelines.endpoint.failures import Failure, FailureKind, TransientError
from pipelines.endpoint.next_steps import EMPTY, RAISE

#: Tokens whose alternatives are kept: a digit, the answer to a closed question, with what a tokenizer may have left on
#: it; of full width, too. Those of all the words of a sentence would make an answer fifty times as large.
WEIGHED = re.compile(r"\W*(\d)점?\W*")
#: A token, and the logarithms of the probabilities of tokens that might have stood there.
Token = tuple[str, dict[str, float]]
#: Why a model that thinks first may give no text.
TOO_SHORT = Failure(FailureKind.UNUSABLE, "the limit ended the answer before its text began", next_step=RAISE)
#: Why there is none where the endpoint says nothing.
NO_TEXT = Failure(FailureKind.UNUSABLE, "its answers hold no text", next_step=EMPTY)
#: Where servers put what a model thought.
THOUGHTS = ("reasoning_content", "reasoning", "thinking")


@dataclass(frozen=True)
class Reply:
    """The answer to one request: the text of each choice, and how many tokens that took.

    Attributes:
        failure: why there is no text; the message of a refusal is what the model said, empty where a filter refused.
        tokens: of each choice, with the alternatives to those that `WEIGHED` matches; none where the request asked for
            no `logprobs`, or the endpoint gives none.
        model: who answered, as the endpoint says; empty where it does not, and in what earlier versions kept.
        thought: the model was seen thinking, before the text or instead of it.
        kept: it was answered before.
    """

    texts: list[str]
    input_tokens: int = 0
    output_tokens: int = 0
    failure: Failure | None = None
    tokens: list[list[Token]] = field(default_factory=list)
    model: str = field(default="", compare=False)
    thought: bool = field(default=False, compare=False)
    kept: bool = field(default=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether it holds a text or a clear refusal. Anything else is asked for again once the endpoint is mended."""
        return any(text.strip() for text in self.texts) or bool(
            self.failure and self.failure.kind is FailureKind.REFUSED
        )

    def to_json(self) -> dict[str, Any]:
        """What the store keeps, for `from_json`."""
        # Not `asdict`, which copies every token.
        fields = {name: value for name, value in vars(self).items() if name not in ("kept", "thought")}
        return fields | {"failure": self.failure.to_json() if self.failure else None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Reply | None:
        """A reply that was kept, with or without tokens; None where there is none that is final.

        Earlier versions kept answers without a text, what was thought as a text, and failures as words.
        """
        if not kept or isinstance(kept.get("failure") or None, str):
            return None
        tokens = [[(token, weights) for token, weights in choice] for choice in kept.get("tokens", [])]
        texts, failure = [without_thoughts(text) for text in kept["texts"]], Failure.from_json(kept.get("failure"))
        reply = cls(**{**kept, "texts": texts, "failure": failure, "tokens": tokens, "kept": True})
        return reply if reply.is_final else None


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
        said = [_text(choice["message"]) for choice in choices]
        refusals = [choice["message"]["refusal"] for choice in choices if choice["message"].get("refusal")]
        ends = [choice.get("finish_reason") for choice in choices]
        thoughts = [bool(choice["message"].get(name)) for choice in choices for name in THOUGHTS]
        tokens = [_tokens(choice) for choice in choices] if weighed else []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _garbage(answer) from error
    if not said:
        raise TransientError("garbage: an answer without choices")
    whole = [text if end != "error" else "" for text, end in zip(said, ends, strict=True)]
    bare = [without_thoughts(text) for text in whole]
    texts = [storable(text) for text in bare]
    model = answer.get("model")
    about: dict[str, Any] = {
        "model": model if isinstance(model, str) else "",
        "thought": any(thoughts) or bare != whole,
    }
    if any(text.strip() for text in texts):
        return Reply(texts, *counts, tokens=tokens if any(tokens) else [], **about)
    if refusals or "content_filter" in ends:
        refusal = storable(str(refusals[0])) if refusals else ""
        return Reply([], *counts, failure=Failure(FailureKind.REFUSED, refusal), **about)
    if "error" in ends:  # OpenRouter, where the provider behind it failed
        errors = [choice["error"] for choice in choices if choice.get("error")]
        raise TransientError(f"an answer that ended in an error: {shortened(read_error(errors).message)}")
    if "length" in ends:
        return Reply([], *counts, failure=TOO_SHORT, **about)
    return Reply([""] * len(texts), *counts, **about)


def _garbage(answer: Any) -> TransientError:
    if isinstance(answer, str):
        return TransientError(f"garbage instead of JSON: {described(answer)}")
    if isinstance(answer, dict) and (answer.get("error") or answer.get("errors")):
        return TransientError(f"an error instead of a chat completion: {shortened(read_error(answer).message)}")
    return TransientError(f"garbage instead of a chat completion: {shortened(described(answer), 80)}")


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
