"""Asks an OpenAI-compatible endpoint: every answer paid once, retried where it may help, within limits and its pace."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Any

import openai

from pipelines.endpoint.answers.error_bodies import Said
from pipelines.endpoint.answers.replies import NO_TEXT, TOO_SHORT, Reply, read_reply, usage_of
from pipelines.endpoint.compatibility import LOGPROBS, ROOM, Compatibility
from pipelines.endpoint.connection import Connection, is_unconnected, retry_after, status_of, timed_out
from pipelines.endpoint.failures import EndpointGoneError, Failure, FailureKind, ThrottledError, TransientError
from pipelines.endpoint.health import Health
from pipelines.endpoint.next_steps import FASTER, START, step_after
from pipelines.endpoint.options import EndpointOptions
from pipelines.endpoint.rate_limiter import LONGEST_WAIT_S, RateLimiter
from pipelines.endpoint.spending.answer_store import Store, key_of
from pipelines.endpoint.spending.budget import Budget, Receipt
from pipelines.endpoint.spending.prices import most_input_tokens

#: Attempts at one request in all, before it counts as failed; "too many requests" does not use one up.
ATTEMPTS = 8
#: Seconds in which an endpoint may say "too many requests" to one of them.
PATIENCE_S = 900.0
#: Seconds before the second attempt, on average; doubled from attempt to attempt up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class Client:
    """One model at one endpoint.

    Attributes:
        connection: the way there; holds the key.
        store, limiter, budget, compatibility: kept answers, pace, limits, and what the endpoint does not know.
        health: whether it fails at everything.
    """

    def __init__(self, api: openai.AsyncOpenAI, options: EndpointOptions) -> None:
        self.options = options
        self.connection = Connection(api, options.timeout)
        self.store = Store(options.store)
        self.limiter = RateLimiter(options.concurrency)
        self.budget = Budget(options.caps, options.price, self.store, options.run_id, options.timeout)
        self.compatibility = Compatibility(self.store, options.identity, options.choices)
        self.health = Health()
        self._gone: EndpointGoneError | None = None
        self._stopped = asyncio.Event()
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
            async with self.limiter.slot() as number:
                self._raise_if_gone()  # the requests that wait need not find out one by one
                try:
                    return await self._once(key, body, number)
                except TransientError as error:
                    throttled = isinstance(error, ThrottledError)
                    wait = error.wait if isinstance(error, ThrottledError) else 0.0
                    if not throttled:
                        self._note_failure(key, error)
                    if (attempt == ATTEMPTS and not throttled) or time.monotonic() > deadline:
                        return self._given_up(error, attempt)
            attempt += not throttled
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.5)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), max(pause, wait))

    def key_of(self, body: dict[str, Any]) -> str:
        """The key of a request's answer in the store."""
        return key_of(self.options.identity, body)

    def kept(self, key: str) -> Reply | None:
        """The reply of an earlier request, if there is one."""
        answer = self.store.answer(key)
        reply = Reply.from_json(answer)
        if answer is not None and not reply:
            self.store.forget(key)  # else it would pass for what somebody else asked meanwhile
        return reply

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
        return read_reply(answer, weighed=weighed)

    def most_tokens(self, sent: dict[str, Any]) -> tuple[int, int]:
        """The tokens of a request as it is sent, and of its answer, at most."""
        return most_input_tokens(sent["messages"]), self.compatibility.most_output_tokens(sent)

    def learn_from(self, reply: Reply, sent: dict[str, Any]) -> bool:
        """Find out from a reply how the model comes to a text; whether it should be asked in another form."""
        if reply.failure != TOO_SHORT:
            self.compatibility.learn_from_answer(sent, thought=reply.thought)
            return False
        asked, answered = self.most_tokens(sent)
        may_grow = not self.budget.limit_passed_by(self.budget.cost_at_most(asked, ROOM * answered))
        return self.compatibility.make_room(sent, thought=reply.thought, may_grow=may_grow)

    async def _probe(self) -> None:
        """Before the first request, see whether there is a connection. Whether the endpoint works, its work shows.

        Raises:
            EndpointGoneError: nobody is there.
        """
        async with self._probing:
            if not self._probed:
                self._probed = True
                if trouble := await self.connection.trouble():
                    self._stop(f"the endpoint does not answer: {self.options.base_url} ({trouble})", START)
        self._raise_if_gone()

    async def _once(self, key: str, body: dict[str, Any], number: int) -> Reply:
        sent = self.compatibility.sendable(body)
        async with self.budget.request(key, *self.most_tokens(sent)) as receipt:
            if receipt.answer is not None:
                if kept := self.kept(key):
                    return kept
                raise ThrottledError("what was kept meanwhile is of no use: it is asked for")
            try:
                answer = await self.connection.post(sent)
            except openai.APIStatusError as error:
                if error.status_code not in (502, 504):  # behind a gateway it may have been answered and billed
                    receipt.settle(str(error.status_code), 0, 0, None)
                return self._failed(error, body, sent, number)
            reply = self.read(answer, receipt, weighed=bool(body.get("logprobs")))
            if reply.is_final:
                receipt.answer = reply.to_json()
        self.limiter.on_answer(number)
        other_form = self.compatibility.sendable(body) != sent or self.learn_from(reply, sent)
        if reply.is_final:
            self.health.on_answer()
        elif other_form:
            raise ThrottledError("no text yet: it is asked for in another form")
        elif self.health.on_refusal():
            failure = reply.failure or NO_TEXT
            raise self._stop(failure.message, failure.next_step)
        return reply

    def _failed(self, error: openai.APIStatusError, body: dict[str, Any], sent: dict[str, Any], number: int) -> Reply:
        """What an error means for this request and for those to come.

        Raises:
            TransientError: another attempt may help.
            EndpointGoneError: no request can succeed.
        """
        said, status, words = self.connection.said(error), error.status_code, self.connection.in_words(error)
        if said.is_filtered:  # Azure answers 400, and bills nothing
            self.health.on_answer()
            return Reply([], failure=Failure(FailureKind.REFUSED))
        if self._is_about_form(status, said, sent) and (
            self.compatibility.sendable(body) != sent or self.compatibility.learn(said, sent, sure=status != 500)
        ):
            raise ThrottledError(words) from error  # nothing was wrong with this request but its form
        if status in (401, 402) or "insufficient_quota" in said.code:
            words = f"the endpoint refuses the key: {words}" if status == 401 else words
            raise self._stop(
                words, self._step_after(402 if "insufficient_quota" in said.code else status), status
            ) from error
        if status in (429, 503):
            wait = retry_after(error)
            self.limiter.on_throttled(number, wait)
            if not wait and self.health.on_wait():
                self.limiter.on_trouble()
            raise ThrottledError(words, min(wait or 0.0, LONGEST_WAIT_S)) from error
        if status in (408, 409) or status >= 500:
            raise TransientError(words) from error
        # A 403 or 404 may be of this prompt (a moderated one), or of the key and the model.
        if self.health.on_refusal(forbidden=status in (403, 404)):
            raise self._stop(words, self._step_after(status), status) from error
        return Reply([], failure=Failure(FailureKind.REJECTED, words, status))

    def _is_about_form(self, status: int, said: Said, sent: dict[str, Any]) -> bool:
        """Whether another form of a request may pass."""
        if status in (400, 422):
            return True
        # A server may also stumble over what it does not know; a gateway's words are about the moment.
        if self.compatibility.is_trying(sent) and status not in (401, 402, 408, 409, 429) and status <= 500:
            return True
        # OpenAI answers 403 where a model gives no token probabilities; that is about the form, not about the key.
        return status == 403 and LOGPROBS in said.message.lower()

    def _note_failure(self, key: str, error: TransientError) -> None:
        """Count an attempt that failed.

        Raises:
            EndpointGoneError: all attempts fail.
        """
        if timed_out(error):
            self.limiter.on_timeout()
        if self.health.on_failure(key):
            status = status_of(error)
            step = FASTER if timed_out(error) else self._step_after(status or 500)
            raise self._stop(str(error), step, status) from error
        if self.health.in_trouble:
            self.limiter.on_trouble()

    def _given_up(self, error: TransientError, attempts: int) -> Reply:
        """What it means that the last attempt at a request failed.

        Raises:
            EndpointGoneError: no request can succeed.
        """
        status = status_of(error)
        if is_unconnected(error):
            raise self._stop(str(error), START) from error
        if isinstance(error, ThrottledError) and self.health.on_refusal():
            raise self._stop(str(error), self._step_after(status or 429), status) from error
        return Reply([], failure=Failure(FailureKind.GAVE_UP, f"{error} ({attempts} attempts)", status))

    def _stop(self, message: str, next_step: str, status: int | None = None) -> EndpointGoneError:
        """Ask for nothing any more; what to raise. The first reason stays."""
        self._gone = self._gone or EndpointGoneError(message, status=status, next_step=next_step)
        self._stopped.set()
        self.limiter.open()
        return EndpointGoneError(str(self._gone), status=self._gone.status, next_step=self._gone.next_step)

    def _step_after(self, status: int) -> str:
        asked = self.options
        return step_after(status, place=asked.place, model=asked.model, variable=asked.key_variable)

    def _raise_if_gone(self) -> None:
        if self._gone:  # an error of its own for each: they gather tracebacks
            raise EndpointGoneError(str(self._gone), status=self._gone.status, next_step=self._gone.next_step)
