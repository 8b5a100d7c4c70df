"""What keeps weights from being loaded, as a problem that a visitor can read."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from request import Problem

#: Names of errors -> key of the sentence; the first row that stands anywhere in the chain of errors counts. By name:
#: torch and the HTTP clients below huggingface_hub need not be installed, and each has its own.
KEYS = (
    ({"GatedRepoError"}, "load-gated"),
    ({"RepositoryNotFoundError", "RevisionNotFoundError", "RemoteEntryNotFoundError"}, "load-missing"),
    ({"TransportError", "ConnectionError", "TimeoutError", "LocalEntryNotFoundError"}, "load-offline"),
    ({"MemoryError", "OutOfMemoryError"}, "load-memory"),
)


@contextmanager
def explained(model: str) -> Iterator[None]:
    """Whatever keeps the block from loading a model becomes a problem, its trace goes to the log.

    Raises:
        Problem: the block raised something.
    """
    try:
        yield
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        raise problem_of(error, model) from error


def problem_of(error: BaseException, model: str) -> Problem:
    """The problem for whatever stands anywhere in the chain of errors."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for link in chain:
        if isinstance(link, Problem):
            return link
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    key = next((key for names, key in KEYS if kinds & names), "load-failed")
    return Problem(key, model=model)


def hub_answers(repo: str, revision: str | None) -> bool:
    """Whether the Hub can be asked for a repo. Where it cannot, the clients' retries would take a minute to say so.

    Raises:
        HfHubHTTPError: the Hub's own no.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if Path(repo).is_dir():
        return True
    try:
        HfApi().model_info(repo, revision=revision, timeout=10)
    except HfHubHTTPError:
        raise  # an answer, and a no
    except Exception:  # no connection, whatever the HTTP client calls it: what is in the cache may do
        return False
    return True
