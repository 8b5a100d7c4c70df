"""Asks for one prompt until there are as many texts as wanted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.endpoint.answers.json_answers import is_refusal
from pipelines.endpoint.answers.replies import Reply
from pipelines.endpoint.answers.served_model import same_model
from pipelines.endpoint.client import FIRST_PAUSE_S, Client
from pipelines.endpoint.failures import EndpointError, Failure, FailureKind
from pipelines.rows import Message

#: Answers without a usable text after which a prompt is given up; each is asked for with a seed of its own.
SENSELESS = 3
#: Characters of an answer without a usable text that are kept, for people.
SAMPLE = 300

#: Takes the texts out of an answer that holds several.
Read = Callable[[str], list[str]]


@dataclass(frozen=True)
class Completion:
    """The texts that a teacher wrote for one prompt.

    Attributes:
        texts: as many as wanted, or fewer.
        failure: why there are fewer; None if there are not.
        input_tokens, output_tokens: of all answers to the prompt, whoever paid for them.
        model: who answered, as the endpoint says: another than the one that was asked (`served_model.same_model`), if
            there was one; empty where it does not say.
    """

    texts: list[str]
    failure: Failure | None
    input_tokens: int
    output_tokens: int
    model: str = field(default="", compare=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the same fields; `Failure.from_json` reads its failure."""
        return asdict(self)


async def complete(
    client: Client,
    messages: Sequence[Message],
    wanted: int,
    read: Read | None = None,
    *,
    seed: int,
    attempt: int = 0,
    max_new_tokens: int,
    response_format: dict[str, Any] | None = None,
    **sampling: Any,
) -> Completion:
    """Texts for one prompt. What failed leaves what there is already.

    Args:
        wanted: how many.
        read: None where each choice is one text.
        seed: from this, the messages and the attempt comes the seed of each request.
        attempt: how often the same prompt was asked before; the answers differ.
        max_new_tokens: of one answer.
        sampling: `temperature` and the like, as the endpoint takes them.
    """
    texts: list[str] = []
    input_tokens = output_tokens = 0
    choices, senseless = 0, 0
    failure: Failure | None = None
    served: list[str] = []
    sample = ""
    while len(texts) < wanted and not failure:
        missing = wanted - len(texts)
        body = {
            "model": client.options.model,
            "messages": messages,
            "n": missing if read is None else 1,
            "seed": _request_seed(seed, messages, attempt, choices),
            "max_tokens": max_new_tokens,
            **sampling,
            **({"response_format": response_format} if response_format else {}),
        }
        try:
            reply = await client.ask(body)
        except EndpointError as error:
            failure = error.failure
            break
        input_tokens, output_tokens = input_tokens + reply.input_tokens, output_tokens + reply.output_tokens
        served += [reply.model] if reply.model else []
        fresh, failure = _new_texts(reply, read, texts)
        texts += fresh[:missing]
        sample = sample or ("" if fresh else "\n".join(reply.texts))
        choices += max(1, len(reply.texts))
        senseless += not fresh
        if read and 2 * len(texts) >= wanted:
            break  # a few lines too few are not worth another prompt
        if not failure and senseless == SENSELESS:
            failure = Failure(FailureKind.UNUSABLE, "no usable answer", sample=sample[:SAMPLE])
        if not failure and not fresh and not reply.kept:
            await asyncio.sleep(FIRST_PAUSE_S * random.uniform(0.5, 1.5))
    others = [model for model in served if not same_model(client.options.model, model)]
    return Completion(texts, failure, input_tokens, output_tokens, next(iter([*others, *served]), ""))


def _new_texts(reply: Reply, read: Read | None, known: list[str]) -> tuple[list[str], Failure | None]:
    """The texts of a reply, where it holds several only those that are not known yet; and why no others will come."""
    if read is None:
        return [text for text in reply.texts if text.strip()], reply.failure
    if refusal := next((answer for answer in reply.texts if is_refusal(answer)), ""):
        return [], Failure(FailureKind.REFUSED, refusal)
    texts = [text for answer in reply.texts for text in read(answer) if text.strip()]
    return [text for text in texts if text not in known], reply.failure


def _request_seed(seed: int, messages: Sequence[Message], attempt: int, choices: int) -> int:
    """31 bits from the run's seed, the messages, the attempt at them and the number of choices had already."""
    content = json.dumps([seed, messages, attempt, choices], ensure_ascii=False)
    return int(hashlib.sha256(content.encode()).hexdigest()[:8], 16) & 0x7FFFFFFF
