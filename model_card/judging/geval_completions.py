"""Chat completions in openai's form, which deepeval's own models and metrics exchange."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from model_card.judging.geval_answers import Question, Weighed, chosen, distribution
from pipelines.endpoint.answers.replies import Token


def read_completion(response: Any, question: Question) -> Weighed:
    """Read an openai `ChatCompletion`, which deepeval's models return from `generate_raw_response`.

    Raises:
        NoScoreError, NoProbabilitiesError: see `chosen` and `distribution`.
    """
    choice = response.choices[0]
    digit, reason = chosen(choice.message.content or "", question)
    content = (choice.logprobs.content if choice.logprobs else None) or []
    tokens = [(token.token, {other.token: other.logprob for other in token.top_logprobs or []}) for token in content]
    return Weighed(distribution(tokens, digit, question), reason)


def as_completion(text: str, tokens: Sequence[Token]) -> Any:
    """One answer as deepeval reads a completion: the text, and each token with its alternatives."""
    content = [
        SimpleNamespace(
            token=token,
            top_logprobs=[SimpleNamespace(token=other, logprob=logprob) for other, logprob in weights.items()],
        )
        for token, weights in tokens
    ]
    choice = SimpleNamespace(message=SimpleNamespace(content=text), logprobs=SimpleNamespace(content=content))
    return SimpleNamespace(choices=[choice])
