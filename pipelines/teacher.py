"""The teacher: any model behind an OpenAI-compatible endpoint, as a distilabel LLM."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any

import openai
from distilabel.models import OpenAILLM
from distilabel.models.llms.utils import prepare_output
from pydantic import PrivateAttr
from rich.console import Console
from rich.progress import Progress

#: Seconds to wait for the first sign of life of an endpoint.
PROBE_SECONDS = 10
#: Attempts after the first, with doubling pauses of half a second and more.
RETRIES = 4


class Teacher(OpenAILLM):  # type: ignore[misc]
    """`OpenAILLM` with bounded requests, reproducible seeds, and failures kept to the pair they happened on.

    A failed request leaves the lines it got and the reason in the output's `failure` column: what the others brought,
    and what they cost, is kept. An endpoint that ignores `n`, or refuses it, is asked again until it has given as many
    lines as wanted.

    Attributes:
        choices: lines asked for in one request at most.
        concurrency: requests in flight at most.
        seed: from this and the messages comes the seed of each request.
    """

    choices: int
    concurrency: int
    seed: int
    _down: str = PrivateAttr("")  # why the endpoint is gone: the requests that wait need not find out one by one

    def load(self) -> None:
        """Open the client, and keep it from logging a line for each request."""
        super().load()
        for client in ("httpx", "httpx2", "openai"):
            logging.getLogger(client).setLevel(logging.WARNING)

    async def _agenerate(self, inputs: list[Any], num_generations: int = 1, **sampling: Any) -> list[Any]:
        gate = asyncio.Semaphore(self.concurrency)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            done = progress.add_task(f"copies for {len(inputs)} pairs", total=len(inputs))

            async def answer(messages: Any) -> Any:
                async with gate:
                    output = await self._lines(messages, num_generations, **sampling)
                progress.advance(done)
                return output

            return await asyncio.gather(*(answer(messages) for messages in inputs))

    async def _lines(self, messages: Any, wanted: int, *, max_new_tokens: int, **sampling: Any) -> Any:
        lines: list[str] = []
        spent = {"input_tokens": 0, "output_tokens": 0}
        failure = self._down
        while len(lines) < wanted and not failure:
            choices = min(self.choices, wanted - len(lines))
            try:
                answer = await self._aclient.chat.completions.create(
                    model=self.model,
                    messages=messages,
                    n=choices,
                    seed=_request_seed(self.seed, messages, len(lines)),
                    max_tokens=max_new_tokens,
                    **sampling,
                )
            except openai.BadRequestError as error:
                if choices == 1:
                    failure = f"{type(error).__name__}: {error}"
                self.choices = 1  # llama.cpp refuses more choices than it has slots; a bad request costs nothing
            except openai.OpenAIError as error:
                failure = f"{type(error).__name__}: {error}"
                if isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError):
                    self._down = failure
            else:
                lines += [_storable(choice.message.content or "") for choice in answer.choices]
                failure = "" if answer.choices else "the endpoint answered without choices"
                if answer.usage:
                    spent["input_tokens"] += answer.usage.prompt_tokens
                    spent["output_tokens"] += answer.usage.completion_tokens
        # distilabel wants as many statistics as generations; the sums stand in the first and are added up again later.
        rest = [0] * (wanted - 1)
        output = prepare_output(
            [*lines[:wanted], *[None] * (wanted - len(lines))],
            input_tokens=[spent["input_tokens"], *rest],
            output_tokens=[spent["output_tokens"], *rest],
        )
        return {**output, "failure": [failure] * wanted}


def teacher_llm(
    base_url: str,
    model: str,
    api_key: str,
    *,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    concurrency: int,
    seed: int,
    choices: int = 128,
) -> Teacher:
    """A teacher at an endpoint that has just answered.

    Args:
        base_url: up to and with `/v1`.
        api_key: any word where the endpoint asks for none.
        choices: lines asked for in one request at most, by default all of a pair: the prompt is paid once. llama.cpp
            fills its slots better, and counts tokens rightly, with 1.

    Raises:
        ValueError: the endpoint cannot be reached, refuses the key or is not ready.
    """
    probe_endpoint(base_url, api_key)
    sampling: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens}
    return Teacher(
        base_url=base_url,
        model=model,
        api_key=api_key,
        choices=choices,
        concurrency=concurrency,
        seed=seed,
        max_retries=RETRIES,
        generation_kwargs=sampling,
    )


def probe_endpoint(base_url: str, api_key: str) -> None:
    """Ask for the list of models. An endpoint that is there but keeps no such list passes.

    Raises:
        ValueError: with what, where and the next step.
    """
    try:
        openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=PROBE_SECONDS).models.list()
    except openai.APIConnectionError as error:
        reason = error.__cause__ or error
        raise ValueError(
            f"the teacher endpoint does not answer: {base_url} ({reason}); start it or check `teacher.base_url`"
        ) from error
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise ValueError(
            f"the teacher endpoint refuses the key: {base_url}; put a valid one into the environment variable that "
            "`teacher.api_key_env` names"
        ) from error
    except openai.InternalServerError as error:
        raise ValueError(
            f"the teacher endpoint is not ready: {base_url} answered {error.status_code}; wait and run it again"
        ) from error
    except (openai.NotFoundError, openai.BadRequestError):
        pass  # no list of models, but an answer


def _storable(text: str) -> str:
    """Half a surrogate pair, which JSON can carry and Parquet cannot, becomes U+FFFD; the filter `script` sees that."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _request_seed(seed: int, messages: Any, given: int) -> int:
    """31 bits from the run's seed, the messages and the number of lines had already."""
    content = json.dumps([seed, messages, given], ensure_ascii=False)
    return int(hashlib.sha256(content.encode()).hexdigest()[:8], 16) & 0x7FFFFFFF
