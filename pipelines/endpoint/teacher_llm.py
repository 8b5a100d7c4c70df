"""The teacher: any model behind an OpenAI-compatible endpoint, as a distilabel LLM."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from distilabel.models.llms.utils import prepare_output
from pydantic import PrivateAttr

from pipelines.endpoint.answer_store import Store
from pipelines.endpoint.batch_api import BatchApiClient
from pipelines.endpoint.batch_patches import BatchHooks
from pipelines.endpoint.budget import Budget, Caps
from pipelines.endpoint.client import FIRST_PAUSE_S, Client, Reply
from pipelines.endpoint.failures import EndpointError, Failure, FailureKind
from pipelines.endpoint.json_answers import is_refusal
from pipelines.endpoint.prices import Price
from pipelines.endpoint.rate_limiter import RateLimiter

#: Answers without a usable text after which a request is given up; each is asked for with a seed of its own.
SENSELESS = 3


@dataclass(frozen=True)
class Completion:
    """What the teacher made of one prompt.

    Attributes:
        texts: as many as wanted, or fewer.
        failure: why there are fewer; None if there are not.
    """

    texts: list[str]
    failure: Failure | None
    input_tokens: int
    output_tokens: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the same fields; `Failure.from_json` reads its failure."""
        return asdict(self)


Read = Callable[[str], list[str]]


class Teacher(BatchHooks):
    """`OpenAILLM` whose answers are paid once (see `answer_store`), within limits and at the endpoint's pace.

    A failed request leaves what it got, and the reason: what the others brought is kept. An endpoint that ignores `n`,
    or refuses it, is asked again until it has given as much as wanted.

    Attributes:
        identity: names who answers in the cache; outlives the address.
        store: the SQLite file with the answers and the ledger.
        run_id: whose limits these are: the same over all processes that work for one stage.
        caps: of the run; requests and tokens left None have no limit.
        price: USD per million tokens, or None.
        choices: choices asked for in one request at most.
        concurrency: requests in flight at most.
        seed: from this and the messages comes the seed of each request.
        batch_poll_s: seconds between two looks at a batch of the provider's Batch API; None asks at once.
    """

    identity: str
    store: Path
    run_id: str
    timeout: float = 120
    caps: Caps = Caps()
    price: Price | None = None
    choices: int
    concurrency: int
    seed: int
    batch_poll_s: int | None = None
    _writer: Client | None = PrivateAttr(None)

    def load(self) -> None:
        """Open the client, and keep it from logging a line for each request."""
        super().load()
        for client in ("httpx", "httpx2", "openai"):
            logging.getLogger(client).setLevel(logging.WARNING)

    def unload(self) -> None:
        """Let go of the clients."""
        super().unload()
        self._writer = None

    def open(self) -> Client:
        """A client for the event loop that is running, with the answers of earlier runs."""
        store = Store(self.store)
        kind = BatchApiClient if self.batch_poll_s else Client
        self._writer = kind(
            self._aclient.with_options(max_retries=0),  # the client retries, by its own rules
            self.identity,
            self.choices,
            store=store,
            limiter=RateLimiter(self.concurrency),
            budget=Budget(self.caps, self.price, store, self.run_id),
        )
        return self._writer

    async def write(
        self,
        messages: Any,
        wanted: int,
        read: Read | None = None,
        *,
        attempt: int = 0,
        max_new_tokens: int,
        response_format: dict[str, Any] | None = None,
        **sampling: Any,
    ) -> Completion:
        """Texts for one prompt.

        Args:
            wanted: how many.
            read: takes the texts out of an answer that holds several; None where each choice is one.
            attempt: how often the same prompt was asked before; the answers differ.
            max_new_tokens: of one answer.
        """
        client = self._writer or self.open()
        texts: list[str] = []
        tokens = [0, 0]
        failure: Failure | None = None
        asked, senseless = 0, 0
        while len(texts) < wanted and not failure:
            left = wanted - len(texts)
            body = {
                "model": self.model,
                "messages": messages,
                "n": left if read is None else 1,
                "seed": _request_seed(self.seed, messages, attempt, asked),
                "max_tokens": max_new_tokens,
                **sampling,
                **({"response_format": response_format} if response_format else {}),
            }
            try:
                reply = await client.ask(body)
            except EndpointError as error:
                failure = error.failure
                break
            tokens = [tokens[0] + reply.input_tokens, tokens[1] + reply.output_tokens]
            fresh, failure = _new_texts(reply, read, texts)
            texts += fresh[:left]
            asked += max(1, len(reply.texts))
            senseless += not fresh
            if read and 2 * len(texts) >= wanted:
                break  # a few lines too few are not worth another prompt
            if not failure and senseless == SENSELESS:
                failure = Failure(FailureKind.UNUSABLE, "no usable answer")
            if not failure and not fresh and not reply.kept:
                await asyncio.sleep(FIRST_PAUSE_S * random.uniform(0.5, 1.5))
        return Completion(texts, failure, *tokens)

    async def _agenerate(self, inputs: list[Any], num_generations: int = 1, **sampling: Any) -> list[Any]:
        """As distilabel asks: all inputs at once; the client itself bounds what is in flight."""
        self.open()
        return [
            _output(written, num_generations)
            for written in await asyncio.gather(
                *(self.write(messages, num_generations, **sampling) for messages in inputs)
            )
        ]


def _output(written: Completion, wanted: int) -> Any:
    # distilabel wants as many statistics as generations; the sums stand in the first and are added up again later.
    rest = [0] * (wanted - 1)
    output = prepare_output(
        [*written.texts, *[None] * (wanted - len(written.texts))],
        input_tokens=[written.input_tokens, *rest],
        output_tokens=[written.output_tokens, *rest],
    )
    return {**output, "failure": [str(written.failure or "")] * wanted}


def _new_texts(reply: Reply, read: Read | None, known: list[str]) -> tuple[list[str], Failure | None]:
    """The texts of a reply, where it holds several only those that are not known yet; and why no others will come."""
    if read is None:
        return [text for text in reply.texts if text.strip()], reply.failure
    if refusal := next((answer for answer in reply.texts if is_refusal(answer)), ""):
        return [], Failure(FailureKind.REFUSED, refusal)
    texts = [text for answer in reply.texts for text in read(answer) if text.strip()]
    return [text for text in texts if text not in known], reply.failure


def teacher_llm(
    base_url: str,
    model: str,
    api_key: str,
    *,
    identity: str,
    store: Path,
    run_id: str,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    concurrency: int,
    seed: int,
    timeout: float,
    choices: int = 128,
    caps: Caps | None = None,
    price: Price | None = None,
    batch_poll_s: int | None = None,
) -> Teacher:
    """A teacher at an endpoint. Nothing is sent yet, and nothing will be for what was answered before.

    Args:
        base_url: up to and with `/v1`.
        api_key: any word where the endpoint asks for none.
        identity, store, run_id, caps, price, batch_poll_s: see `Teacher`.
        timeout: seconds that an answer may take.
        choices: lines asked for in one request at most, by default all of a pair: the prompt is paid once. llama.cpp
            fills its slots better, and counts tokens rightly, with 1.
    """
    sampling: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens}
    return Teacher(
        base_url=base_url,
        model=model,
        api_key=api_key,
        identity=identity,
        store=store,
        run_id=run_id,
        caps=caps or Caps(),
        price=price,
        batch_poll_s=batch_poll_s,
        choices=choices,
        concurrency=concurrency,
        seed=seed,
        timeout=timeout,
        generation_kwargs=sampling,
    )


def _request_seed(seed: int, messages: Any, attempt: int, given: int) -> int:
    """31 bits from the run's seed, the messages, the attempt at them and the number of lines had already."""
    content = json.dumps([seed, messages, attempt, given], ensure_ascii=False)
    return int(hashlib.sha256(content.encode()).hexdigest()[:8], 16) & 0x7FFFFFFF
