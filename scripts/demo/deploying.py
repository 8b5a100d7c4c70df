"""Set up a Space through the Hub's API: where it runs, what its environment holds, where votes go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from huggingface_hub import HfUri
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from pipelines.errors import HanjulError
from scripts.core import env
from scripts.core.log import log
from scripts.demo.hardware import Place
from scripts.hub.hub import Hub
from scripts.hub.patience import patiently

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: The variable that the page reads its dataset of votes from; `space/settings.py` names all of them.
FEEDBACK = "HANJUL_FEEDBACK"
#: What a Space writes votes with, and what reads gated or private models.
TOKEN = "HF_TOKEN"  # noqa: S105 - the name of a variable


def variables_of(assignments: Sequence[str]) -> dict[str, str]:
    """Variables from `NAME=VALUE`, as `--variable` gives them.

    Raises:
        HanjulError: one is no assignment.
    """
    variables: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise HanjulError("--variable wants NAME=VALUE", assignment, "e.g. --variable HANJUL_ENGINE=llama")
        variables[name] = value
    return variables


def secrets_of(names: Sequence[str]) -> dict[str, str]:
    """Secrets from the environment, as `--secret` names them: `NAME`, or `NAME=VARIABLE` if named otherwise here.

    Raises:
        HanjulError: there is no such variable. Its name is not repeated: somebody may have put the secret itself there.
    """
    secrets: dict[str, str] = {}
    for given in names:
        name, equals, variable = given.partition("=")
        variable = variable if equals else name
        if not NAME.fullmatch(name):
            raise HanjulError("--secret wants the name of an environment variable", next_step="e.g. --secret HF_TOKEN")
        value = os.environ.get(variable)
        if not value:
            raise HanjulError(
                "The environment holds no variable of the name that is given for this secret",
                name,
                f"export it, and name it: --secret {name} or --secret {name}=VARIABLE",
            )
        env.KEY_VARIABLES.add(variable)
        secrets[name] = value
    return secrets


def create(hub: Hub, repo: HfUri, place: Place) -> None:
    """Create the Space where it is to run, unless it is there: without hardware the Hub would take a paid one.

    Raises:
        HanjulError: the Hub will not have it there.
    """
    if hub.head(repo) is None:
        with _refusals(repo, place):
            patiently(
                lambda: hub.api.create_repo(
                    repo.id,
                    repo_type="space",
                    exist_ok=True,
                    space_sdk="gradio",
                    space_hardware=place.flavor,  # type: ignore[arg-type]  # its values are strings
                )
            )


def configure(hub: Hub, repo: HfUri, place: Place, variables: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Set variables, secrets and hardware where they are not so yet: each change restarts the Space.

    Variables that are not named stay, but `HANJUL_FEEDBACK`, without which no votes are kept.
    """
    with _refusals(repo, place):
        there = patiently(lambda: hub.api.get_space_variables(repo.id))
        for name, value in variables.items():
            if name not in there or there[name].value != value:
                hub.api.add_space_variable(repo.id, name, value)
                log(f"space: variable {name} is set")
        if FEEDBACK in there and FEEDBACK not in variables:
            hub.api.delete_space_variable(repo.id, FEEDBACK)
            log(f"space: variable {FEEDBACK} is deleted")
        for name, value in secrets.items():  # what a secret holds cannot be read, so it is always set
            hub.api.add_space_secret(repo.id, name, value)
            log(f"space: secret {name} is set")
        runtime = patiently(lambda: hub.api.get_space_runtime(repo.id))
        if (runtime.requested_hardware or runtime.hardware) != place.flavor:
            hub.api.request_space_hardware(repo.id, place.flavor)  # type: ignore[arg-type]  # its values are strings
            log(f"space: hardware {place.flavor} is asked for")


def ensure_feedback(hub: Hub, repo: HfUri) -> None:
    """Create the dataset that votes go to, private, unless it is there.

    Raises:
        HanjulError: it is there for everybody to read.
    """
    try:
        info = patiently(lambda: hub.api.repo_info(repo.id, repo_type="dataset"))
    except RepositoryNotFoundError:
        hub.api.create_repo(repo.id, repo_type="dataset", private=True, exist_ok=True)
        log(f"space: {repo.to_uri()} is created, private")
        return
    if not info.private:
        raise HanjulError(
            "Visitors' votes are kept in a private dataset, and this one is public",
            repo.to_uri(),
            "make it private in its settings, or give another name in `space.feedback`",
        )


def missing_token(hub: Hub, repo: HfUri, secrets: Mapping[str, str], *, feedback: bool, closed: Sequence[HfUri]) -> str:
    """What a Space cannot do for want of a token, a sentence; "" where it has one or needs none.

    Args:
        closed: models that it reads and that are private or gated.
    """
    if TOKEN in secrets or not (feedback or closed) or TOKEN in hub.api.get_space_secrets(repo.id):
        return ""
    lacks = ["keep no votes"] * feedback + [f"not download {uri.id}, which is private or gated" for uri in closed]
    return f"without a secret {TOKEN} the page can {' and '.join(lacks)}: give one with --secret {TOKEN}"


@contextmanager
def _refusals(repo: HfUri, place: Place) -> Iterator[None]:
    """Say what the Hub asks for, where it will not have a Space there."""
    try:
        yield
    except HfHubHTTPError as error:
        if error.response.status_code not in (401, 402, 403):
            raise
        step = {
            401: "log in with a token that may write",
            402: f"take a plan or a payment method that the Hub asks for, or another --hardware; of {place.flavor}: "
            f"{place.terms}",
            403: f"take a token that may write to {repo.id}, or name a repository of yours in `space.repo`",
        }[error.response.status_code]
        said = error.server_message or str(error)
        raise HanjulError(f"The Hub will not have this Space on {place.flavor}: {said}", repo.to_uri(), step) from error
