"""Everything that is set for one endpoint, but its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.endpoint.spending.budget import Caps
from pipelines.endpoint.spending.prices import Price


@dataclass(frozen=True)
class EndpointOptions:
    """A model at an endpoint, and how it may be asked. The key is no part of it: this may be printed and written down.

    Attributes:
        base_url: up to and with `/v1`.
        model: its name at the endpoint.
        identity: names the model among the kept answers, and outlives the address.
        store: the SQLite file with the answers and the ledger of requests.
        run_id: whose limits `caps` are: the same over all processes that work for one stage.
        concurrency: requests in flight at most.
        timeout: seconds that an answer may take.
        caps: limits of the run.
        price: USD per million tokens, or None.
        choices: choices asked for in one request at most. llama.cpp fills its slots better, and counts tokens rightly,
            with 1; and each choice has a seed of its own.
        batch_poll_s: seconds between two looks at a batch of the provider's Batch API; None asks at once.
        place: where a recipe names the endpoint, for next steps; empty where none does.
        key_variable: the environment variable that holds the key, for next steps; empty where none is asked for.
    """

    base_url: str
    model: str
    identity: str
    store: Path
    run_id: str
    concurrency: int
    timeout: float
    caps: Caps = field(default_factory=Caps)
    price: Price | None = None
    choices: int = 1
    batch_poll_s: int | None = None
    place: str = ""
    key_variable: str = ""
