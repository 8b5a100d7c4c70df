"""Asks through the provider's Batch API, by distilabel's batch files: half the price, up to a day.

A batch fills the store of answers; then the same writing code runs over the store and finds everything there. What it
does not find (an answer was garbage and is to be asked again) makes the next batch.

Nothing is paid twice. A batch stands in the store before the provider can have it, under an id that the provider keeps
with it, and until its results are in the store: whoever comes next finds it there, and at the provider.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from filelock import FileLock

from pipelines.endpoint.answer_store import Batch, Spent, key_of
from pipelines.endpoint.budget import Receipt
from pipelines.endpoint.client import Client, Reply, TransientError, is_filtered, kept_form
from pipelines.endpoint.failures import BudgetSpentError, EndpointError, EndpointGoneError, Failure, FailureKind
from pipelines.endpoint.prices import most_input_tokens

if TYPE_CHECKING:
    from pipelines.endpoint.teacher_llm import Teacher

#: Batches one after the other: the first, and those for answers that were garbage.
BATCHES = 3
NO_ANSWER = "its batch brought no answer"
#: Of a request that did not run.
FREE = Spent(1)


class BatchApiClient(Client):
    """Answers from the store alone, and notes what is not there.

    Attributes:
        missing: key -> body of what was asked for and not found.
        failures: key -> why its batch brought no answer.
        final: keys whose failure another batch would not change.
        stopped: why no more batches are sent, if so.
    """

    missing: dict[str, dict[str, Any]]
    stopped: EndpointError | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.missing = {}
        self.failures: dict[str, Failure] = {}
        self.final: set[str] = set()

    async def ask(self, body: dict[str, Any]) -> Reply:
        key = key_of(self.identity, body)
        if kept := self.kept(key):
            return kept
        if key not in self.final:
            self.missing[key] = body
            if self.stopped:
                raise self.stopped
        return Reply([], failure=self.failures.get(key, Failure(FailureKind.UNANSWERED, NO_ANSWER)))

    def alone(self) -> FileLock:
        """Held from the plan of a batch until the provider has it: no plan that another sees under it is in the making.

        The system lets go of it when its holder is killed.
        """
        return FileLock(f"{self.store.path}.lock")

    def failed(self, key: str, sent: dict[str, Any] | None, status: int, error: dict[str, Any]) -> bool:
        """Note why a request failed; whether that taught what to leave out of it.

        Args:
            sent: what went to the provider, if known.
            status: of HTTP; 0 where the request did not run.
            error: `message`, `code` and `param`.
        """
        message, code = str(error.get("message") or ""), str(error.get("code") or "")
        filtered = is_filtered(code)
        no_answer = Failure(FailureKind.UNANSWERED, f"{NO_ANSWER}: {message}" if message else NO_ANSWER, status or None)
        self.failures[key] = Failure(FailureKind.REFUSED) if filtered else no_answer
        taught = False
        if sent and status in (400, 422) and not filtered:
            same = self.compatibility.sendable(self.missing[key]) == sent  # else another row of the batch taught it
            response = httpx2.Response(status, request=httpx2.Request("POST", "/v1/chat/completions"))
            refusal = openai.APIStatusError(message, response=response, body=error)
            taught = same and self.compatibility.learn(refusal, sent)
            if taught or not same:
                return taught
        if 400 <= status < 500 and status not in (408, 409, 429):
            self.final.add(key)
        return taught


async def fill(llm: Teacher, client: BatchApiClient, write: Callable[[], Awaitable[Any]]) -> None:
    """Have batches answer whatever the writing code asks for; what they leave open says why when it is asked again.

    Args:
        write: runs the writing code once over the store.
    """
    try:
        with contextlib.suppress(EndpointGoneError):  # what is missing for that is asked for, or waited for, below
            await _finish_all(llm, client)
        batches = 0
        while batches < BATCHES:
            client.missing = {}
            await write()
            if not client.missing:
                return
            _send(llm, client)
            taught = await _finish_all(llm, client)
            batches += not taught  # what a bad form teaches costs nothing, and there is an end to it
    except EndpointError as error:
        client.stopped = error


def _send(llm: Teacher, client: BatchApiClient) -> None:
    """Send what is missing and in no batch of another process, as far as the limits allow.

    Raises:
        BudgetSpentError, EndpointGoneError: nothing was sent.
    """
    with client.alone():
        under_way = {key for batch in client.store.batches(client.identity) for key in batch.keys}
        keys = [key for key in client.missing if key not in under_way and not client.store.answer(key)]
        requests = _affordable(client, keys)
        if not requests:
            return
        bodies = [client.compatibility.sendable(client.missing[key]) for key in requests]
        try:
            files = llm._create_batch_files(inputs=bodies)
        except openai.OpenAIError as error:
            raise _took_none(client, error) from error
        batch = client.store.planned(client.budget.run, client.identity, requests)
        try:
            client.store.launched(batch, llm.launch(files, batch.id))
        except openai.OpenAIError as error:
            if not _look_for(llm, client, batch):
                raise _took_none(client, error) from error


def _took_none(client: BatchApiClient, error: openai.OpenAIError) -> EndpointGoneError:
    return EndpointGoneError(
        f"the provider took no batch: {client._named(error)}; run it again, or ask without `--batch`"
    )


def _affordable(client: BatchApiClient, keys: list[str]) -> dict[str, Spent]:
    """As many of the requests as the limits allow, with what each may cost at most.

    Raises:
        BudgetSpentError: not one.
    """
    client.budget.spent = client.store.spent(client.budget.run)
    total, requests = Spent(), dict[str, Spent]()
    for key in keys:
        body = client.missing[key]
        choices = client.compatibility.sendable(body).get("n", 1)
        most = client.budget.most(most_input_tokens(body["messages"]), body["max_tokens"] * choices)
        total += most
        if passed := client.budget.passed(total):
            if not requests:
                raise BudgetSpentError(passed)
            break
        requests[key] = most
    return requests


def _look_for(llm: Teacher, client: BatchApiClient, batch: Batch) -> bool:
    """Find out whether the provider has a planned batch, and note it or drop it.

    Raises:
        EndpointGoneError: the provider does not say; the plan stays.
    """
    try:
        jobs = llm.launched(batch.id)
    except openai.OpenAIError as error:
        raise EndpointGoneError(
            f"it is not known whether the provider took the last batch: {client._named(error)}; run it again, which "
            "looks for it first"
        ) from error
    if jobs:
        client.store.launched(batch, jobs)
    else:
        client.store.dropped(batch)
    return bool(jobs)


async def _finish_all(llm: Teacher, client: BatchApiClient) -> bool:
    """Finish all batches of the identity, whoever sent them; whether their failures taught what to leave out.

    Raises:
        EndpointGoneError: of the first that did not end well; the others are finished all the same.
    """
    with client.alone():
        for batch in client.store.batches(client.identity):
            if not batch.jobs:  # its sender was killed
                _look_for(llm, client, batch)
    taught, failures = False, []
    for batch in client.store.batches(client.identity):
        if batch.jobs:
            try:
                taught |= await _finish(llm, client, batch)
            except EndpointGoneError as error:
                failures.append(error)
    client.budget.spent = client.store.spent(client.budget.run)
    if failures:
        raise failures[0]
    return taught


async def _finish(llm: Teacher, client: BatchApiClient, batch: Batch) -> bool:
    """Wait for a batch, keep what it brought and strike it off; whether its failures taught what to leave out.

    Raises:
        EndpointGoneError: its results cannot be had now, and it stays under way; or it stopped early.
    """
    name = ", ".join(batch.jobs)
    try:
        while not (jobs := llm.ended(batch.jobs)):
            await asyncio.sleep(llm.batch_poll_s or 1)
        rows = [row for job in jobs for row in llm._retrieve_batch_results(job)]
    except (openai.OpenAIError, ValueError) as error:
        said = client._named(error) if isinstance(error, openai.OpenAIError) else f"garbage instead of JSONL: {error}"
        raise EndpointGoneError(
            f"the batch {name} cannot be read: {said}; it is still noted as under way: run it again, with the key that "
            "sent it"
        ) from error
    answers, taught = _keep(client, batch, {row.get("custom_id", ""): row for row in rows})
    stopped = next((job for job in jobs if job.status != "completed"), None)
    if stopped and stopped.status == "failed":
        errors = (stopped.errors and stopped.errors.data) or []
        said = "".join(f": {error.message}" for error in errors[:1])
        raise EndpointGoneError(f"the provider refused the batch {name}{said}; mend that, or ask without `--batch`")
    if stopped:
        raise EndpointGoneError(
            f"the batch {name} is {stopped.status}, {answers} of its {len(batch.keys)} requests were answered; run it "
            "again to ask for the others"
        )
    return taught


def _keep(client: BatchApiClient, batch: Batch, rows: dict[str, dict[str, Any]]) -> tuple[int, bool]:
    """Keep the answers and settle the ledger; how many there are, and whether failures taught what to leave out."""
    sent = {key: client.compatibility.sendable(body) for key, body in client.missing.items()}
    answers: dict[str, Any] = {}
    outcomes: list[tuple[int, str, Spent | None]] = []
    taught = False
    for place, (key, number) in enumerate(zip(batch.keys, batch.ledger, strict=True)):
        row = rows.get(str(place), {})
        response = row.get("response") or {}
        status = response.get("status_code") or 0
        if status == 200:
            receipt = Receipt(FREE)
            try:
                answers[key] = kept_form(client.read(response.get("body"), receipt))
            except TransientError as error:
                client.failed(key, None, status, {"message": str(error)})
            outcomes.append((number, receipt.outcome, None if receipt.cost is FREE else receipt.cost))
        else:
            said = _error(row)
            taught |= client.failed(key, sent.get(key), status, said)
            outcomes.append((number, str(status or said.get("code") or "unanswered"), FREE))
    client.store.finished(batch, answers, outcomes)
    return len(answers), taught


def _error(row: dict[str, Any]) -> dict[str, Any]:
    """What a row of a failed request says: the endpoint's error, or that of the batch where the request did not run."""
    body = (row.get("response") or {}).get("body")
    error = (body.get("error") if isinstance(body, dict) else body) or row.get("error") or {}
    return error if isinstance(error, dict) else {"message": str(error)}
