"""Asks an OpenAI-compatible endpoint: every answer paid once, retried where it may help, within limits and its pace."""

from __future__ import annotations

import asyncio
import email.utils
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

import openai

from pipelines.endpoint.answer_store import Store, key_of
from pipelines.endpoint.budget import Budget, Receipt
from pipelines.endpoint.compatibility import LOGPROBS, Compatibility
from pipelines.endpoint.failures import EndpointGoneError, Failure, FailureKind
from pipelines.endpoint.json_answers import storable
from pipelines.endpoint.prices import most_input_tokens
from pipelines.endpoint.rate_limiter import RateLimiter

#: Seconds to wait for the first sign of life of an endpoint.
PROBE_SECONDS = 10
#: Attempts at one request in all, before it counts as failed; "too many requests" does not use one up.
ATTEMPTS = 8
#: Seconds in which an endpoint may say "too many requests" to one of them.
PATIENCE_S = 900.0
#: Seconds before the second attempt, on average; doubled from attempt to attempt up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
#: Answers of the kind "you may not" or "not here" one after the other that mean all requests, not just one.
REFUSALS = 3
#: Tokens whose alternatives are kept: a digit, the answer to a closed question. Those of all the words of a sentence
#: would make an answer fifty times as large.
WEIGHED = re.compile(r"\W*[0-9]\W*")
#: Why a model that thinks first may give no text.
TOO_SHORT = "the answer ended before it began; raise `max_new_tokens`"
#: A token, and the logarithms of the probabilities of tokens that might have stood there.
Token = tuple[str, dict[str, float]]


class TransientError(Exception):
    """Another attempt may succeed."""


class ThrottledError(TransientError):
    """Another attempt will succeed once the endpoint has time."""


@dataclass(frozen=True)
class Reply:
    """What came back: the text of each choice, and how many tokens it took.

    Attributes:
        failure: why there is no text; the message of a refusal is what the model said, empty where a filter refused.
        kept: it was answered before.
        tokens: of each choice, with the alternatives to those that `WEIGHED` matches; none where the request asked for
            no `logprobs`, or the endpoint gives none.
    """

    texts: list[str]
    input_tokens: int = 0
    output_tokens: int = 0
    failure: Failure | None = None
    tokens: list[list[Token]] = field(default_factory=list)
    kept: bool = field(default=False, compare=False)


class Client:
    """One endpoint and model.

    Attributes:
        identity: names who answers in the cache.
        compatibility: what the endpoint does not know.
    """

    def __init__(
        self,
        api: openai.AsyncOpenAI,
        identity: str,
        choices: int,
        *,
        store: Store,
        limiter: RateLimiter,
        budget: Budget,
    ) -> None:
        self.api, self.identity = api, identity
        self.store, self.limiter, self.budget = store, limiter, budget
        self.compatibility = Compatibility(store, identity, choices)
        self._gone = ""
        self._refusals = 0
        self._answered = False
        self._probing = asyncio.Lock()
        self._probed = False

    async def ask(self, body: dict[str, Any]) -> Reply:
        """The answer to a request body (as for `chat.completions.create`, with `max_tokens` and `n`).

        Raises:
            BudgetSpentError: sending it might pass a limit.
            EndpointGoneError: neither this request nor any other can succeed.
        """
        key = key_of(self.identity, body)
        if kept := self.kept(key):
            return kept
        await self._probe()
        attempt, deadline = 1, time.monotonic() + PATIENCE_S
        while True:
            try:
                async with self.limiter.slot():
                    return await self._once(key, body)
            except TransientError as error:
                if attempt == ATTEMPTS or time.monotonic() > deadline:
                    return self._given_up(error, attempt)
                attempt += not isinstance(error, ThrottledError)
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    def kept(self, key: str) -> Reply | None:
        """The reply of an earlier request, if there is one."""
        kept = self.store.answer(key)
        if not kept or (kept["failure"] and isinstance(kept["failure"], str)):  # as failures were kept before; no text
            return None
        tokens = [[(token, weights) for token, weights in choice] for choice in kept.get("tokens", [])]
        return Reply(**{**kept, "failure": Failure.from_json(kept["failure"]), "tokens": tokens, "kept": True})

    def _given_up(self, error: TransientError, attempts: int) -> Reply:
        cause = error.__cause__
        if isinstance(cause, openai.APIConnectionError) and not isinstance(cause, openai.APITimeoutError):
            self._gone = str(error)
            raise EndpointGoneError(self._gone) from error
        status = cause.status_code if isinstance(cause, openai.APIStatusError) else None
        return Reply([], failure=Failure(FailureKind.GAVE_UP, f"{error} ({attempts} attempts)", status))

    async def _probe(self) -> None:
        """Before the first request, ask for the list of models. An endpoint that keeps no such list passes.

        Raises:
            EndpointGoneError: it cannot be reached, refuses the key or is not ready.
        """
        async with self._probing:
            if not self._probed:
                self._gone = await _complaint(self.api)
                self._probed = True
        if self._gone:
            raise EndpointGoneError(self._gone)

    async def _once(self, key: str, body: dict[str, Any]) -> Reply:
        if self._gone:  # the requests that wait need not find out one by one
            raise EndpointGoneError(self._gone)
        sent = self.compatibility.sendable(body)
        bound = most_input_tokens(body["messages"]), body["max_tokens"] * sent.get("n", 1)
        async with self.budget.request(key, *bound) as receipt:
            try:
                # The client's own time-out is for each read: a server that drips would hold its place for ever.
                async with asyncio.timeout(float(self.api.timeout or 600)):  # type: ignore[arg-type]
                    # `chat.completions.create` takes as long again to turn parameters and answer into typed objects.
                    answer = await self.api.post("/chat/completions", body=sent, cast_to=object)
            except (TimeoutError, openai.APITimeoutError) as error:  # it may have been billed: it counts at its most
                raise TransientError("time-out") from error
            except openai.APIStatusError as error:
                if error.status_code not in (502, 504):  # behind a gateway it may have been answered and billed
                    receipt.settle(str(error.status_code), 0, 0, None)
                return self._failed(error, body, sent)
            except openai.OpenAIError as error:
                raise TransientError(self._named(error)) from error
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise TransientError(f"garbage instead of JSON: {error}") from error
            reply = self.read(answer, receipt, weighed=bool(body.get("logprobs")))
        self._answered, self._refusals = True, 0
        self.store.keep(key, kept_form(reply))
        return reply

    def read(self, answer: Any, receipt: Receipt, *, weighed: bool = False) -> Reply:
        """The reply that an answer holds.

        Args:
            weighed: with its tokens.

        Raises:
            TransientError: it is not what the protocol says.
        """
        try:
            usage = answer.get("usage") or {}
            counts = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
            receipt.outcome = "answered"
            if any(counts):  # else it stays at its most
                receipt.settle("answered", *counts, self.budget.price)
            messages = [choice["message"] for choice in answer["choices"]]
            texts = [_text(message) for message in messages]
            refusals = [message["refusal"] for message in messages if message.get("refusal")]
            ends = [choice.get("finish_reason") for choice in answer["choices"]]
            tokens = [_tokens(choice) for choice in answer["choices"]] if weighed else []
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TransientError(f"garbage instead of a chat completion: {str(answer)[:80]}") from error
        if not texts:
            raise TransientError("garbage: an answer without choices")
        self.limiter.answered()
        if any(texts):
            return Reply([storable(text) for text in texts], *counts, tokens=tokens if any(tokens) else [])
        if refusals or "content_filter" in ends:
            return Reply([], *counts, failure=Failure(FailureKind.REFUSED, storable(refusals[0]) if refusals else ""))
        if "length" in ends:
            return Reply([], *counts, failure=Failure(FailureKind.UNUSABLE, TOO_SHORT))
        return Reply(texts, *counts)

    def _failed(self, error: openai.APIStatusError, body: dict[str, Any], sent: dict[str, Any]) -> Reply:
        """What an error means for this request and for those to come.

        Raises:
            TransientError: another attempt may help.
            EndpointGoneError: no request can succeed.
        """
        name, status, code = self._named(error), error.status_code, error.code or ""
        if is_filtered(code):  # Azure answers 400, and bills nothing
            return Reply([], failure=Failure(FailureKind.REFUSED))
        # OpenAI answers 403 where a model gives no token probabilities; that is about the form, not about the key.
        form = status in (400, 422) or (status == 403 and LOGPROBS in name.lower())
        if form and (self.compatibility.sendable(body) != sent or self.compatibility.learn(error, sent)):
            raise ThrottledError(name) from error  # nothing was wrong with this request but its form
        if status in (403, 404):  # of this prompt (a moderated one), or of the key and the model?
            self._refusals += 1
        if status in (401, 402) or code == "insufficient_quota" or self._refusals >= (self._answered * REFUSALS or 1):
            self._gone = name
            raise EndpointGoneError(name) from error
        if status in (429, 503):
            self.limiter.throttled(_retry_after(error))
            raise ThrottledError(name) from error
        if status in (408, 409) or status >= 500:
            raise TransientError(name) from error
        return Reply([], failure=Failure(FailureKind.REJECTED, name, status))

    def _named(self, error: openai.OpenAIError) -> str:
        """The error in words, without the key, which some endpoints say again."""
        return f"{type(error).__name__}: {error}".replace(self.api.api_key, "…")


def kept_form(reply: Reply) -> dict[str, Any]:
    """What the store keeps of a reply; `Client.kept` reads it, with or without tokens."""
    # Not `asdict`, which copies every token.
    fields = {name: value for name, value in vars(reply).items() if name != "kept"}
    return fields | {"failure": reply.failure.to_json() if reply.failure else None}


def is_filtered(code: str) -> bool:
    """Whether an error's code is that of a provider's content filter."""
    return "content" in code and "filter" in code


async def _complaint(api: openai.AsyncOpenAI) -> str:
    """What is wrong with an endpoint, with the next step; empty if nothing is."""
    try:
        await api.with_options(max_retries=0, timeout=PROBE_SECONDS).get("/models", cast_to=object)
    except openai.APIConnectionError as error:
        return (
            f"the endpoint does not answer: {api.base_url} ({error.__cause__ or error}); start it or check `base_url`"
        )
    except (openai.AuthenticationError, openai.PermissionDeniedError):
        return (
            f"the endpoint refuses the key: {api.base_url}; put a valid one into the environment variable that "
            "`api_key_env` names"
        )
    except openai.InternalServerError as error:
        return f"the endpoint is not ready: {api.base_url} answered {error.status_code}; wait and run it again"
    except (openai.APIStatusError, ValueError):
        return ""  # no list of models, but an answer
    return ""


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds that the endpoint asks us to wait: a number, or a date (RFC 9110, 10.2.3)."""
    value = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _text(message: dict[str, Any]) -> str:
    """What a message says: its content, as text or in parts.

    Raises:
        TypeError, AttributeError, KeyError: it is neither.
    """
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(f"content: {content}")
    return content


def _tokens(choice: dict[str, Any]) -> list[Token]:
    """The tokens of a choice; none where it says nothing of probabilities."""
    said = (choice.get("logprobs") or {}).get("content") or []
    return [(_spelt(token), _weights(token) if WEIGHED.fullmatch(token["token"]) else {}) for token in said]


def _spelt(token: dict[str, Any]) -> str:
    """A token as text; half a syllable, as which Hangul is often cut, becomes U+FFFD."""
    return storable(token["token"])


def _weights(token: dict[str, Any]) -> dict[str, float]:
    alternatives = token.get("top_logprobs") or []
    return {_spelt(other): float(other["logprob"]) for other in alternatives if other.get("logprob") is not None}
