"""Fills the store of answers through the provider's Batch API, by distilabel's batch files.

The writing code runs over the store and finds its answers there. What it does not find (an answer was garbage and is to
be asked again) makes the next batch.

Nothing is paid twice, but what a command without batches asks at the same time. A batch stands in the store before the
provider can have it, under an id that the provider keeps with it, and until its results are in the store: whoever comes
next finds it there, and at the provider.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import openai

from pipelines.endpoint.answers.error_bodies import Said, read_error
from pipelines.endpoint.batch.client import BatchApiClient
from pipelines.endpoint.failures import BudgetSpentError, EndpointError, EndpointGoneError, TransientError
from pipelines.endpoint.spending.answer_store import Batch, Spent
from pipelines.endpoint.spending.budget import Receipt

#: Batches one after the other: the first, and those for answers that were garbage.
BATCHES = 3
#: Of a request that did not run.
FREE = Spent(1)


async def fill(client: BatchApiClient, write: Callable[[], Awaitable[Any]]) -> None:
    """Have batches answer whatever the writing code asks for; what they leave open says why when it is asked again.

    Args:
        write: runs the writing code once over the store.
    """
    try:
        with contextlib.suppress(EndpointGoneError):  # what is missing for that is asked for, or waited for, below
            await _finish_all(client)
        batches = 0
        while batches < BATCHES:
            client.missing = {}
            await write()
            if not client.missing:
                return
            _send(client)
            learnt = await _finish_all(client)
            batches += not learnt  # what a bad form teaches costs nothing, and there is an end to it
    except EndpointError as error:
        client.stopped = error


def _send(client: BatchApiClient) -> None:
    """Send what is missing and in no batch of another process, as far as the limits allow.

    Raises:
        BudgetSpentError, EndpointGoneError: nothing was sent.
    """
    options = client.options
    with client.lock():
        under_way = {key for batch in client.store.batches(options.identity) for key in batch.keys}
        keys = [key for key in client.missing if key not in under_way and not client.kept(key)]
        requests = _affordable(client, keys)
        if not requests:
            return
        bodies = [client.compatibility.sendable(client.missing[key]) for key in requests]
        try:
            files = client.provider._create_batch_files(inputs=bodies)
        except openai.OpenAIError as error:
            raise _not_taken(client, error) from error
        most = sum(requests.values(), Spent())
        batch = client.store.plan_batch(  # meanwhile somebody without `--batch` may have used up what was left
            options.run_id, options.identity, requests, lambda spent: client.budget.limit_passed_from(spent, most)
        )
        try:
            client.store.note_jobs(batch, client.provider.create_jobs(files, batch.id))
        except openai.OpenAIError as error:
            if not _look_for(client, batch):
                raise _not_taken(client, error) from error


def _not_taken(client: BatchApiClient, error: openai.OpenAIError) -> EndpointGoneError:
    return EndpointGoneError(
        f"the provider took no batch: {client.connection.in_words(error)}",
        next_step="run it again, or ask without `--batch`",
    )


def _affordable(client: BatchApiClient, keys: list[str]) -> dict[str, Spent]:
    """As many of the requests as the limits allow, with what each may cost at most.

    Raises:
        BudgetSpentError: not one.
    """
    client.budget.spent = client.store.spent(client.options.run_id)
    total, requests = Spent(), dict[str, Spent]()
    for key in keys:
        most = client.budget.cost_at_most(*client.most_tokens(client.compatibility.sendable(client.missing[key])))
        total += most
        if passed := client.budget.limit_passed_by(total):
            if not requests:
                raise BudgetSpentError(passed)
            break
        requests[key] = most
    return requests


def _look_for(client: BatchApiClient, batch: Batch) -> bool:
    """Find out whether the provider has a planned batch, and note it or drop it.

    Raises:
        EndpointGoneError: the provider does not say; the plan stays.
    """
    try:
        jobs = client.provider.find_jobs(batch.id)
    except openai.OpenAIError as error:
        raise EndpointGoneError(
            f"it is not known whether the provider took the last batch: {client.connection.in_words(error)}",
            next_step="run it again, which looks for it first",
        ) from error
    if jobs:
        client.store.note_jobs(batch, jobs)
    else:
        client.store.drop_batch(batch)
    return bool(jobs)


async def _finish_all(client: BatchApiClient) -> bool:
    """Finish all batches of the identity, whoever sent them; whether their failures taught what to leave out.

    Raises:
        EndpointGoneError: of the first that did not end well; the others are finished all the same.
    """
    identity = client.options.identity
    with client.lock():
        for batch in client.store.batches(identity):
            if not batch.jobs:  # its sender was killed
                _look_for(client, batch)
    learnt, errors = False, []
    for batch in client.store.batches(identity):
        if batch.jobs:
            try:
                learnt |= await _finish(client, batch)
            except EndpointGoneError as error:
                errors.append(error)
    client.budget.spent = client.store.spent(client.options.run_id)
    if errors:
        raise errors[0]
    return learnt


async def _finish(client: BatchApiClient, batch: Batch) -> bool:
    """Wait for a batch, keep what it brought and strike it off; whether its failures taught what to leave out.

    Raises:
        EndpointGoneError: its results cannot be had now, and it stays under way; or it stopped early.
    """
    name = ", ".join(batch.jobs)
    client.waiting_for = f"the batch {name} of {len(batch.keys)} requests"
    try:
        while not (jobs := client.provider.ended_jobs(batch.jobs)):
            await asyncio.sleep(client.options.batch_poll_s or 1)
        rows = [row for job in jobs for row in client.provider._retrieve_batch_results(job)]
    except (openai.OpenAIError, ValueError) as error:
        words = (
            client.connection.in_words(error)
            if isinstance(error, openai.OpenAIError)
            else f"garbage instead of JSONL: {error}"
        )
        raise EndpointGoneError(
            f"the batch {name} cannot be read: {words}; it is still noted as under way",
            next_step="run it again, with the key that sent it",
        ) from error
    finally:
        client.waiting_for = ""
    answers, learnt = _keep(client, batch, {row.get("custom_id", ""): row for row in rows})
    stopped = next((job for job in jobs if job.status != "completed"), None)
    if stopped and stopped.status == "failed":
        errors = (stopped.errors and stopped.errors.data) or []
        words = "".join(f": {error.message}" for error in errors[:1])
        raise EndpointGoneError(
            f"the provider refused the batch {name}{words}", next_step="mend that, or ask without `--batch`"
        )
    if stopped:
        raise EndpointGoneError(
            f"the batch {name} is {stopped.status}, {answers} of its {len(batch.keys)} requests were answered",
            next_step="run it again to ask for the others",
        )
    return learnt


def _keep(client: BatchApiClient, batch: Batch, rows: dict[str, dict[str, Any]]) -> tuple[int, bool]:
    """Keep the answers and settle the ledger; how many there are, and whether failures taught what to leave out."""
    sent = {key: client.compatibility.sendable(body) for key, body in client.missing.items()}
    answers: dict[str, Any] = {}
    outcomes: list[tuple[int, str, Spent | None]] = []
    learnt = False
    for place, (key, number) in enumerate(zip(batch.keys, batch.ledger, strict=True)):
        row = rows.get(str(place), {})
        response = row.get("response") or {}
        status = response.get("status_code") or 0
        if status == 200:
            receipt = Receipt(FREE)
            try:
                reply = client.read(response.get("body"), receipt)
            except TransientError as error:
                client.note_failure(key, None, status, Said(str(error)))
            else:
                if reply.is_final:
                    answers[key] = reply.to_json()
                else:
                    learnt |= client.note_no_text(key, sent.get(key), reply)
            outcomes.append((number, receipt.outcome, None if receipt.cost is FREE else receipt.cost))
        else:
            said = _said_in(row)
            learnt |= client.note_failure(key, sent.get(key), status, said)
            outcomes.append((number, str(status or said.code or "unanswered"), FREE))
    client.store.finish_batch(batch, answers, outcomes)
    return len(answers), learnt


def _said_in(row: dict[str, Any]) -> Said:
    """What a row of a failed request says: the endpoint's error, or that of the batch where the request did not run."""
    body = (row.get("response") or {}).get("body") or row.get("error")
    return read_error(body) if body else Said("")
