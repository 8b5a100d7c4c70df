"""Asks an OpenAI-compatible endpoint: every answer paid once, retried where it may help, within limits and its pace."""

from __future__ import annotations

import asyncio
import email.utils
import json
import random
import time
from typing import Any

import openai

from pipelines.endpoint.answer_store import Store, key_of
from pipelines.endpoint.budget import Budget, Receipt
from pipelines.endpoint.compatibility import LOGPROBS, Compatibility
from pipelines.endpoint.failures import EndpointGoneError, Failure, FailureKind, ThrottledError, TransientError
from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.prices import most_input_tokens
from pipelines.endpoint.rate_limiter import RateLimiter
from pipelines.endpoint.replies import Reply, read_reply, usage_of

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


class Client:
    """One model at one endpoint.

    Attributes:
        api: sends the requests; holds the key.
        store, limiter, budget, compatibility: kept answers, pace, limits, and what the endpoint does not know.
    """

    def __init__(self, api: openai.AsyncOpenAI, options: EndpointOptions) -> None:
        self.api, self.options = api, options
        self.store = Store(options.store)
        self.limiter = RateLimiter(options.concurrency)
        self.budget = Budget(options.caps, options.price, self.store, options.run_id)
        self.compatibility = Compatibility(self.store, options.identity, options.choices)
        self._gone = ""
        self._gone_status: int | None = None
        self._refusals = 0
        self._answered = False
        self._probing = asyncio.Lock()
        self._probed = False

    async def ask(self, body: dict[str, Any]) -> Reply:
        """The reply to a request body (as for `chat.completions.create`, with `max_tokens` and `n`).

        Raises:
            BudgetSpentError: sending it might pass a limit.
            EndpointGoneError: neither this request nor any other can succeed.
        """
        key = self.key_of(body)
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

    def key_of(self, body: dict[str, Any]) -> str:
        """The key of a request's answer in the store."""
        return key_of(self.options.identity, body)

    def kept(self, key: str) -> Reply | None:
        """The reply of an earlier request, if there is one."""
        return Reply.from_json(self.store.answer(key))

    def read(self, answer: Any, receipt: Receipt, *, weighed: bool = False) -> Reply:
        """The reply that an answer holds; what it cost goes onto the receipt.

        Args:
            weighed: with its tokens.

        Raises:
            TransientError: it is not what the protocol says.
        """
        counts = usage_of(answer)
        receipt.outcome = "answered"
        if any(counts):  # else it stays at its most
            receipt.settle("answered", *counts, self.options.price)
        reply = read_reply(answer, weighed=weighed)
        self.limiter.on_answer()
        return reply

    def in_words(self, error: openai.OpenAIError) -> str:
        """An error without the key, which some endpoints say again."""
        return f"{type(error).__name__}: {error}".replace(self.api.api_key, "…")

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
            raise EndpointGoneError(self._gone, status=self._gone_status)

    async def _once(self, key: str, body: dict[str, Any]) -> Reply:
        if self._gone:  # the requests that wait need not find out one by one
            raise EndpointGoneError(self._gone, status=self._gone_status)
        sent = self.compatibility.sendable(body)
        bound = most_input_tokens(body["messages"]), body["max_tokens"] * sent.get("n", 1)
        async with self.budget.request(key, *bound) as receipt:
            try:
                # The client's own time-out is for each read: a server that drips would hold its place for ever.
                async with asyncio.timeout(self.options.timeout):
                    # `chat.completions.create` takes as long again to turn parameters and answer into typed objects.
                    answer = await self.api.post("/chat/completions", body=sent, cast_to=object)
            except (TimeoutError, openai.APITimeoutError) as error:  # it may have been billed: it counts at its most
                raise TransientError("time-out") from error
            except openai.APIStatusError as error:
                if error.status_code not in (502, 504):  # behind a gateway it may have been answered and billed
                    receipt.settle(str(error.status_code), 0, 0, None)
                return self._failed(error, body, sent)
            except openai.OpenAIError as error:
                raise TransientError(self.in_words(error)) from error
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise TransientError(f"garbage instead of JSON: {error}") from error
            reply = self.read(answer, receipt, weighed=bool(body.get("logprobs")))
        self._answered, self._refusals = True, 0
        self.store.keep(key, reply.to_json())
        return reply

    def _failed(self, error: openai.APIStatusError, body: dict[str, Any], sent: dict[str, Any]) -> Reply:
        """What an error means for this request and for those to come.

        Raises:
            TransientError: another attempt may help.
            EndpointGoneError: no request can succeed.
        """
        words, status, code = self.in_words(error), error.status_code, error.code or ""
        if is_filtered(code):  # Azure answers 400, and bills nothing
            return Reply([], failure=Failure(FailureKind.REFUSED))
        # OpenAI answers 403 where a model gives no token probabilities; that is about the form, not about the key.
        about_form = status in (400, 422) or (status == 403 and LOGPROBS in words.lower())
        if about_form and (self.compatibility.sendable(body) != sent or self.compatibility.learn(error, sent)):
            raise ThrottledError(words) from error  # nothing was wrong with this request but its form
        if status in (403, 404):  # of this prompt (a moderated one), or of the key and the model?
            self._refusals += 1
        enough = REFUSALS if self._answered else 1
        if status in (401, 402) or code == "insufficient_quota" or self._refusals >= enough:
            self._gone, self._gone_status = words, status
            raise EndpointGoneError(words, status=status) from error
        if status in (429, 503):
            self.limiter.on_throttled(_retry_after(error))
            raise ThrottledError(words) from error
        if status in (408, 409) or status >= 500:
            raise TransientError(words) from error
        return Reply([], failure=Failure(FailureKind.REJECTED, words, status))


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
