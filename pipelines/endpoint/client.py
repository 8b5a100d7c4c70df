"""Asks an OpenAI-compatible endpoint: every answer paid once, retried where it may help, within limits and its pace."""

from __future__ import annotations

import asyncio
import email.utils
import random
import time
from dataclasses import asdict, dataclass
from typing import Any

import openai

from pipelines.endpoint.answers import storable
from pipelines.endpoint.budget import Budget, Receipt
from pipelines.endpoint.gate import Gate
from pipelines.endpoint.prices import most_input_tokens
from pipelines.endpoint.store import Store, key_of

#: Seconds to wait for the first sign of life of an endpoint.
PROBE_SECONDS = 10
#: Attempts at one request in all, before it counts as failed.
ATTEMPTS = 8
#: Seconds before the second attempt, on average; doubled from attempt to attempt up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
#: Parameters that some endpoints refuse, and that a request can do without.
OPTIONAL = ("response_format", "seed", "top_p", "temperature")


class EndpointGoneError(Exception):
    """The endpoint refuses the key, lacks the model or is not there any more: no request can succeed."""


class NoAnswerError(Exception):
    """This request will not be answered in this run; others may be."""


class TransientError(Exception):
    """Another attempt may succeed."""


@dataclass(frozen=True)
class Reply:
    """What came back: the text of each choice, tokens, and why there is none.

    Attributes:
        failure: empty, `refused: …` (the provider's content filter or the model said no), or the endpoint's last error.
    """

    texts: list[str]
    input_tokens: int = 0
    output_tokens: int = 0
    failure: str = ""


class Client:
    """One endpoint and model.

    Attributes:
        identity: names who answers in the cache.
        choices: choices asked for in one request at most; 1 once the endpoint has refused more.
        cached: how many answers came from the cache.
    """

    def __init__(
        self, api: openai.AsyncOpenAI, identity: str, choices: int, *, store: Store, gate: Gate, budget: Budget
    ) -> None:
        self.api, self.identity, self.choices = api, identity, choices
        self.store, self.gate, self.budget = store, gate, budget
        self.cached = 0
        self._without: set[str] = set()  # optional parameters that this endpoint refuses
        self._limit_name = "max_tokens"
        self._gone = ""
        self._probing = asyncio.Lock()
        self._probed = False

    async def ask(self, body: dict[str, Any]) -> Reply:
        """The answer to a request body (as for `chat.completions.create`, with `max_tokens` and `n`).

        Raises:
            BudgetSpentError: sending it might pass a limit.
            EndpointGoneError: neither this request nor any other can succeed.
        """
        key = key_of(self.identity, body)
        if kept := self.store.answer(key):
            self.cached += 1
            return Reply(**kept)
        await self._probe()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.gate.slot():
                    return await self._once(key, body)
            except TransientError as error:
                if attempt == ATTEMPTS:
                    cause = error.__cause__
                    if isinstance(cause, openai.APIConnectionError) and not isinstance(cause, openai.APITimeoutError):
                        self._gone = str(error)
                        raise EndpointGoneError(self._gone) from error
                    return Reply([], failure=f"{error} ({ATTEMPTS} attempts)")
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

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
        sent = self._sendable(body)
        bound = most_input_tokens(body["messages"]), body["max_tokens"] * (sent.get("n") or 1)
        async with self.budget.request(key, *bound) as receipt:
            try:
                # `chat.completions.create` takes as long again to turn parameters and answer into typed objects
                answer = await self.api.post("/chat/completions", body=sent, cast_to=object)
            except openai.APITimeoutError as error:  # it may have been billed: the receipt stays at its most
                raise TransientError("time-out") from error
            except openai.OpenAIError as error:
                receipt.settle(_outcome(error), 0, 0, None)
                return self._failed(error, body, sent)
            except ValueError as error:
                raise TransientError(f"garbage instead of JSON: {error}") from error
            reply = self.read(answer, receipt)
        self.store.keep(key, asdict(reply))
        return reply

    def read(self, answer: Any, receipt: Receipt) -> Reply:
        """The reply that an answer holds.

        Raises:
            TransientError: it is not what the protocol says.
        """
        try:
            usage = answer.get("usage") or {}
            tokens = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
            receipt.outcome = "answered"
            if any(tokens):  # else it stays at its most
                receipt.settle("answered", *tokens, self.budget.price)
            texts = [_text(choice["message"]) for choice in answer["choices"]]
            filtered = any(choice.get("finish_reason") == "content_filter" for choice in answer["choices"])
        except (AttributeError, KeyError, TypeError) as error:
            raise TransientError(f"garbage instead of a chat completion: {str(answer)[:80]}") from error
        if not texts:
            raise TransientError("garbage: an answer without choices")
        self.gate.answered()
        if filtered and not any(texts):
            return Reply([], *tokens, failure="refused: ")
        return Reply([storable(text) for text in texts], *tokens)

    def _failed(self, error: openai.OpenAIError, body: dict[str, Any], sent: dict[str, Any]) -> Reply:
        """What an error means for this request and for those to come.

        Raises:
            TransientError: another attempt may help.
            EndpointGoneError: no request can succeed.
        """
        name = f"{type(error).__name__}: {error}"
        fatal = isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError | openai.NotFoundError)
        if fatal or getattr(error, "code", None) == "insufficient_quota":
            self._gone = name
            raise EndpointGoneError(name) from error
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            if "content" in (error.code or "") and "filter" in (error.code or ""):
                return Reply([], failure="refused: ")  # Azure answers 400, and bills nothing
            if not self._adapt(error, sent) and self._sendable(body) == sent:
                return Reply([], failure=name)
        elif isinstance(error, openai.APIStatusError) and error.status_code in (429, 503):
            self.gate.throttled(_retry_after(error))
        raise TransientError(name) from error

    def _sendable(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what this endpoint is known to refuse."""
        sendable = {name: value for name, value in body.items() if name not in self._without}
        if self._limit_name != "max_tokens":
            sendable[self._limit_name] = sendable.pop("max_tokens")
        if sendable["n"] > self.choices:
            sendable["n"] = self.choices
        return sendable

    def _adapt(self, error: openai.APIStatusError, sent: dict[str, Any]) -> bool:
        """Learn from a bad request which parameter to do without; whether something was learnt."""
        said = f"{error.param or ''} {error.message}"
        if "max_completion_tokens" in said and self._limit_name == "max_tokens":
            self._limit_name = "max_completion_tokens"  # OpenAI's reasoning models
            return True
        for name in OPTIONAL:
            if name in sent and (name in said or (name == "response_format" and "json_schema" in said)):
                self._without.add(name)
                return True
        if sent["n"] > 1 and self.choices > 1:
            self.choices = 1  # llama.cpp refuses more choices than it has slots; a bad request costs nothing
            return True
        return False


async def _complaint(api: openai.AsyncOpenAI) -> str:
    """What is wrong with an endpoint, with the next step; empty if nothing is."""
    try:
        await api.with_options(max_retries=0, timeout=PROBE_SECONDS).get("/models", cast_to=object)
    except openai.APIConnectionError as error:
        return (
            f"the teacher endpoint does not answer: {api.base_url} ({error.__cause__ or error}); start it or check "
            "`teacher.base_url`"
        )
    except (openai.AuthenticationError, openai.PermissionDeniedError):
        return (
            f"the teacher endpoint refuses the key: {api.base_url}; put a valid one into the environment variable that "
            "`teacher.api_key_env` names"
        )
    except openai.InternalServerError as error:
        return f"the teacher endpoint is not ready: {api.base_url} answered {error.status_code}; wait and run it again"
    except openai.APIStatusError:
        return ""  # no list of models, but an answer
    except ValueError:
        return ""  # a list in no JSON
    return ""


def _outcome(error: openai.OpenAIError) -> str:
    return str(error.status_code) if isinstance(error, openai.APIStatusError) else "connection"


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
    """What a message says: its content, as text or in parts, else its refusal.

    Raises:
        TypeError, AttributeError, KeyError: it is none of these.
    """
    content = message.get("content") or message.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(f"content: {content}")
    return content
