"""Any model behind an OpenAI-compatible endpoint as a distilabel LLM, the teacher."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from distilabel.models.llms.utils import prepare_output
from pydantic import PrivateAttr

from pipelines.endpoint.account import open_api
from pipelines.endpoint.batch.client import BatchApiClient
from pipelines.endpoint.batch.hooks import BatchHooks
from pipelines.endpoint.client import Client
from pipelines.endpoint.completions import Completion, Read, complete
from pipelines.endpoint.options import EndpointOptions
from pipelines.rows import Message


class Teacher(BatchHooks):
    """`OpenAILLM` whose answers are paid once (see `answer_store`), within limits and at the endpoint's pace.

    A failed request leaves what it got, and the reason: what the others brought is kept. An endpoint that ignores `n`,
    or refuses it, is asked again until it has given as much as wanted.

    Attributes:
        options: whom it asks, and how.
        seed: from this and the messages comes the seed of each request.
    """

    options: EndpointOptions
    seed: int
    timeout: float  # OpenAILLM takes whole seconds only
    _client_of_loop: Client | None = PrivateAttr(None)

    def load(self) -> None:
        """Open the client, and keep it from logging a line for each request."""
        super().load()
        assert self.api_key  # else `load` has said so
        self._aclient = open_api(self.options.base_url, self.api_key.get_secret_value(), self.options.timeout)
        for client in ("httpx", "httpx2", "openai"):
            logging.getLogger(client).setLevel(logging.WARNING)

    def unload(self) -> None:
        """Let go of the clients."""
        super().unload()
        self._client_of_loop = None

    def open(self) -> Client:
        """A client for the event loop that is running, with the answers of earlier runs."""
        if self.options.batch_poll_s:
            self._client_of_loop = BatchApiClient(self._aclient, self.options, self)
        else:
            self._client_of_loop = Client(self._aclient, self.options)
        return self._client_of_loop

    async def write(
        self,
        messages: Sequence[Message],
        wanted: int,
        read: Read | None = None,
        *,
        attempt: int = 0,
        **generation: Any,
    ) -> Completion:
        """Texts for one prompt: see `pipelines.endpoint.completions.complete`."""
        client = self._client_of_loop or self.open()
        return await complete(client, messages, wanted, read, seed=self.seed, attempt=attempt, **generation)

    async def _agenerate(self, inputs: list[Any], num_generations: int = 1, **generation: Any) -> list[Any]:
        """As distilabel asks: all inputs at once; the client itself bounds what is in flight."""
        self.open()
        asked = (self.write(messages, num_generations, **generation) for messages in inputs)
        return [_output(completion, num_generations) for completion in await asyncio.gather(*asked)]


def _output(completion: Completion, wanted: int) -> Any:
    # distilabel wants as many statistics as generations; the sums stand in the first and are added up again later.
    rest = [0] * (wanted - 1)
    output = prepare_output(
        [*completion.texts, *[None] * (wanted - len(completion.texts))],
        input_tokens=[completion.input_tokens, *rest],
        output_tokens=[completion.output_tokens, *rest],
    )
    return {**output, "failure": [str(completion.failure or "")] * wanted}


def teacher_llm(
    options: EndpointOptions, api_key: str, *, temperature: float, top_p: float, max_new_tokens: int, seed: int
) -> Teacher:
    """A teacher at an endpoint. Nothing is sent yet, and nothing will be for what was answered before.

    Args:
        api_key: any word where the endpoint asks for none.
    """
    return Teacher(
        base_url=options.base_url,
        model=options.model,
        timeout=options.timeout,
        api_key=api_key,
        options=options,
        seed=seed,
        generation_kwargs={"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens},
    )
