"""Answers from the store alone, and notes which requests a batch has to answer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import openai

from pipelines.endpoint.answers.error_bodies import Said
from pipelines.endpoint.answers.payloads import shortened
from pipelines.endpoint.answers.replies import NO_TEXT, Reply
from pipelines.endpoint.batch.hooks import BatchHooks
from pipelines.endpoint.client import Client
from pipelines.endpoint.failures import EndpointError, Failure, FailureKind
from pipelines.endpoint.options import EndpointOptions
from pipelines.locks import locked

NO_ANSWER = "its batch brought no answer"


class BatchApiClient(Client):
    """A client that sends nothing itself: see `pipelines.endpoint.batch.filling`.

    Attributes:
        provider: sends batches and fetches their results.
        missing: key -> body of what was asked for and not found.
        failures: key -> why its batch brought no answer.
        final: keys whose failure another batch would not change.
        stopped: why no more batches are sent, if so.
        waiting_for: the batch that is under way, in words.
    """

    def __init__(self, api: openai.AsyncOpenAI, options: EndpointOptions, provider: BatchHooks) -> None:
        super().__init__(api, options)
        self.provider = provider
        self.missing: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, Failure] = {}
        self.final: set[str] = set()
        self.stopped: EndpointError | None = None
        self.waiting_for = ""

    async def ask(self, body: dict[str, Any]) -> Reply:
        key = self.key_of(body)
        if kept := self.kept(key):
            return kept
        if key not in self.final:
            self.missing[key] = body
            if self.stopped:
                raise self.stopped
        return Reply([], failure=self.failures.get(key, Failure(FailureKind.UNANSWERED, NO_ANSWER)))

    def lock(self) -> AbstractContextManager[None]:
        """Held from the plan of a batch until the provider has it: no plan that another sees under it is in the making.

        The system lets go of it when its holder is killed.
        """
        return locked(self.store.path.with_name(f"{self.store.path.name}.lock"), "the plan of a batch")

    def note_failure(self, key: str, sent: dict[str, Any] | None, status: int, said: Said) -> bool:
        """Note why a request failed; whether that taught what to leave out of it.

        Args:
            sent: what went to the provider, if known.
            status: of HTTP; 0 where the request did not run.
        """
        words = f"{NO_ANSWER}: {shortened(said.message)}" if said.message else NO_ANSWER
        unanswered = Failure(FailureKind.UNANSWERED, words, status or None)
        self.failures[key] = Failure(FailureKind.REFUSED) if said.is_filtered else unanswered
        if sent and status in (400, 422) and not said.is_filtered:
            if self.compatibility.sendable(self.missing[key]) != sent:
                return False  # another row of the batch taught it
            if self.compatibility.learn(said, sent):
                return True
        if 400 <= status < 500 and status not in (408, 409, 429):
            self.final.add(key)
        return False

    def note_no_text(self, key: str, sent: dict[str, Any] | None, reply: Reply) -> bool:
        """Note an answer without a text; whether that taught in which form to ask for one."""
        self.failures[key] = reply.failure or NO_TEXT
        if not sent:
            return False
        return self.compatibility.sendable(self.missing[key]) != sent or self.learn_from(reply, sent)
