"""Asks through the provider's Batch API, by distilabel's offline batch generation: half the price, up to a day.

A batch fills the store of answers; then the same writing code runs over the store and finds everything there. What it
does not find (an answer was garbage and is to be asked again) makes the next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import openai
from distilabel.exceptions import DistilabelOfflineBatchGenerationNotFinishedException as NotFinishedError

from pipelines.endpoint.budget import BudgetSpentError, Receipt
from pipelines.endpoint.client import Client, EndpointGoneError, NoAnswerError, Reply, TransientError
from pipelines.endpoint.prices import most_input_tokens
from pipelines.endpoint.store import Spent, key_of

if TYPE_CHECKING:
    from pipelines.endpoint.teacher import Teacher

#: Batches one after the other: the first, and those for answers that were garbage.
BATCHES = 3
#: Under which the store keeps the batches that are under way, for each identity.
UNDER_WAY = "batches under way"


class OfflineClient(Client):
    """Answers from the store alone, and notes what is not there.

    Attributes:
        missing: key -> body of what was asked for and not found.
        stopped: why no more batches are sent, if so.
    """

    missing: dict[str, dict[str, Any]]
    stopped: BudgetSpentError | EndpointGoneError | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.missing = {}

    async def ask(self, body: dict[str, Any]) -> Reply:
        key = key_of(self.identity, body)
        if kept := self.store.answer(key):
            return Reply(**kept)
        self.missing[key] = body
        raise self.stopped or NoAnswerError("its batch brought no answer")

    def open_batches(self) -> list[dict[str, Any]]:
        """Batches that were sent and not read: `jobs` (ids), `keys` (of the requests, in order), `ledger` (numbers)."""
        found: list[dict[str, Any]] = self.store.answer(key_of(self.identity, {"kept": UNDER_WAY})) or []
        return found

    def keep_batches(self, batches: list[dict[str, Any]]) -> None:
        """Note which are under way."""
        self.store.keep(key_of(self.identity, {"kept": UNDER_WAY}), batches)


async def fill(llm: Teacher, client: OfflineClient, write: Callable[[], Awaitable[Any]]) -> None:
    """Have batches answer whatever the writing code asks for; what they leave open says why when it is asked again.

    Args:
        write: runs the writing code once over the store.
    """
    try:
        for batch in client.open_batches():
            await _finish(llm, client, batch)
        for _ in range(BATCHES):
            client.missing = {}
            await write()
            if not client.missing:
                return
            await _finish(llm, client, _send(llm, client))
    except (BudgetSpentError, EndpointGoneError) as error:
        client.stopped = error


def _send(llm: Teacher, client: OfflineClient) -> dict[str, Any]:
    """Send what is missing, as far as the limits allow, and note the batch before anything else happens."""
    bodies: dict[str, dict[str, Any]] = {}
    total = Spent()
    for key, body in client.missing.items():
        total += _most(client, body)
        if passed := client.budget.passed(total):
            if not bodies:
                raise BudgetSpentError(passed)
            break
        bodies[key] = body
    llm.jobs_ids = None
    try:
        llm.offline_batch_generate(inputs=list(bodies.values()))
    except NotFinishedError as sent:
        jobs = list(sent.jobs_ids)
    except openai.OpenAIError as error:
        raise EndpointGoneError(f"the provider took no batch: {error}; ask without `--batch`") from error
    ledger = [client.store.sent(client.budget.run, key, _most(client, body)) for key, body in bodies.items()]
    batch = {"jobs": jobs, "keys": list(bodies), "ledger": ledger}
    client.keep_batches([*client.open_batches(), batch])
    return batch


async def _finish(llm: Teacher, client: OfflineClient, batch: dict[str, Any]) -> None:
    """Wait for a batch, keep its answers, and strike it off."""
    llm.jobs_ids = tuple(batch["jobs"])
    failure = ""
    answers: list[dict[str, Any]] = []
    while True:
        try:
            answers = llm.offline_batch_generate()
            break
        except NotFinishedError:
            await asyncio.sleep(llm.batch_poll_s or 1)
        except (RuntimeError, AssertionError) as error:  # distilabel: it failed, expired or was cancelled; no output
            failure = str(error)
            break
        except openai.OpenAIError as error:
            raise EndpointGoneError(f"the batch cannot be read: {error}") from error
    _keep(client, batch, answers)
    client.keep_batches([other for other in client.open_batches() if other["jobs"] != batch["jobs"]])
    if failure:
        raise EndpointGoneError(f"the batch failed: {failure}")


def _keep(client: OfflineClient, batch: dict[str, Any], answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        place = int(answer["custom_id"])
        receipt = Receipt(Spent(1))
        try:
            reply = client.read(answer["body"], receipt)
        except TransientError:
            continue
        client.store.keep(batch["keys"][place], asdict(reply))
        client.store.settled(batch["ledger"][place], receipt.outcome, receipt.cost)
    client.budget.spent = client.store.spent(client.budget.run)


def _most(client: OfflineClient, body: dict[str, Any]) -> Spent:
    tokens = most_input_tokens(body["messages"]), body["max_tokens"] * body["n"]
    price = client.budget.price
    return Spent(1, *tokens, price.usd(*tokens) if price else 0.0)
