"""`hanjul train … --on jobs`: the same training on a machine of Hugging Face, paid by the minute.

    hanjul train hf://datasets/NAMESPACE/hanjul-copy --recipe train/polyglot-ko-3.8b --on jobs --flavor a10g-small

The job runs `uv run --with "hanjul @ URL" hanjul train …`. The URL is that of Hanjul's own wheel in the repo that will
hold the adapter, pinned to the commit that brought it. uv sends HF_TOKEN to huggingface.co, and to no other host, so
that the repo may be private. A job that was ended begins anew: its disk goes with it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfUri, get_token, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from scripts import recipes
from scripts.core.errors import HanjulError
from scripts.core.log import log
from scripts.core.settings import Recipe, TrainSettings
from scripts.hub.hub import Hub
from scripts.jobs import wheel as wheels
from scripts.training.preflight import extra_packages

#: Has uv and Python 3.12; what `hf jobs uv run` takes, too.
IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
FLAVOR = "a10g-small"
#: The Hub itself would end a job after 30 minutes.
TIMEOUT = "6h"
#: The job gets the versions that stand here: they were run together.
PINNED = ("torch", "transformers", "datasets", "huggingface_hub", "peft", "trl", "accelerate", "distilabel")
ENVIRONMENT = {"PYTHONUNBUFFERED": "1"}
#: Stands for the commit of an upload that a dry run leaves out.
UNKNOWN_COMMIT = "COMMIT"


@dataclass(frozen=True)
class TrainingJob:
    """What is uploaded and what runs.

    Attributes:
        repo: the adapter's repo, which gets the wheel first.
        commit: of the repo, with this wheel in it; None before the upload.
        endpoint: of the Hub.
        packages: requirements beside the wheel.
        arguments: of `hanjul`.
        timeout: seconds, or a number with s, m, h or d.
    """

    repo: HfUri
    wheel: Path
    commit: str | None
    endpoint: str
    packages: tuple[str, ...]
    arguments: tuple[str, ...]
    flavor: str
    timeout: str

    @property
    def path_in_repo(self) -> str:
        return f"jobs/{self.wheel.name}"

    @property
    def url(self) -> str:
        """Where the job finds the wheel."""
        revision = self.commit or UNKNOWN_COMMIT
        return hf_hub_url(self.repo.id, self.path_in_repo, revision=revision, endpoint=self.endpoint)

    @property
    def command(self) -> list[str]:
        requirements = [f"hanjul @ {self.url}", *self.packages]
        return ["uv", "run", *(part for name in requirements for part in ("--with", name)), "hanjul", *self.arguments]

    @property
    def name(self) -> str:
        """What lists of jobs show: the repo's name, in the characters that the Hub allows there."""
        return re.sub(r"[^a-zA-Z0-9_-]", "-", self.repo.id.split("/")[1])

    def facts(self) -> dict[str, Any]:
        """What the user is told. The token is named, never shown."""
        return {
            "upload": f"{self.repo.to_uri()}/{self.path_in_repo}",
            "sha256": hashlib.sha256(self.wheel.read_bytes()).hexdigest(),
            "commit": self.commit,
            "name": self.name,
            "image": IMAGE,
            "flavor": self.flavor,
            "timeout": self.timeout,
            "env": ENVIRONMENT,
            "secrets": ["HF_TOKEN"],
            "command": self.command,
        }


def run(
    hub: Hub, dataset: HfUri, name: str, recipe: Recipe, flavor: str | None, timeout: str | None, dry_run: bool
) -> dict[str, Any]:
    """Upload the wheel unless it is there, and start the job.

    Args:
        dataset: pinned.
        name: what the recipe was loaded by.
        dry_run: change nothing on the Hub.

    Returns:
        What was uploaded and is run, as `TrainingJob.facts`; with `id` and `url` of the job unless it is a dry run.

    Raises:
        HanjulError: the recipe asks for what a job cannot do, the wheel cannot be made, the Hub refuses.
    """
    check(recipe.train, timeout)
    repo = hub.repo("model", recipe.train.repo)
    with tempfile.TemporaryDirectory() as folder:
        wheel = wheels.make(Path(folder))
        job = TrainingJob(
            repo=repo,
            wheel=wheel,
            commit=published(hub, repo, wheel),
            endpoint=str(hub.api.endpoint),
            packages=(*_pins(), *extra_packages(recipe.train)),
            arguments=("train", dataset.to_uri(), *options(name, recipe)),
            flavor=flavor or FLAVOR,
            timeout=timeout or TIMEOUT,
        )
        if dry_run:
            return job.facts()
        job = job if job.commit else replace(job, commit=upload(hub, job))
        return job.facts() | start(hub, job)


def check(settings: TrainSettings, timeout: str | None) -> None:
    """
    Raises:
        HanjulError: GGUFs are asked for, or the timeout is no span of time.
    """
    if settings.gguf:
        raise HanjulError(
            "A job makes no GGUFs: their converter cannot be installed beside the package gguf by a resolver",
            "train.gguf",
            "leave --gguf out; after the job, the same command with --gguf and without --on jobs makes them here",
        )
    if timeout and not re.fullmatch(r"\d+(\.\d+)?[smhd]?", timeout):
        raise HanjulError("This is no span of time", f"--timeout {timeout}", "write it like 90m or 6h")


def options(name: str, recipe: Recipe) -> list[str]:
    """Options of `hanjul train` that make the same settings elsewhere.

    A recipe that ships with Hanjul goes by its name, with what flags and `--set` have changed in it; a file of the
    user's stays here, and what it says goes as `--set`.
    """
    shipped = name if name in recipes.shipped() else "offline"
    known = recipes.load(shipped)
    changed: dict[str, Any] = {} if recipe.seed == known.seed else {"seed": recipe.seed}
    defaults = known.train.model_dump(mode="json")
    for key, value in recipe.train.model_dump(mode="json").items():
        if value != defaults[key]:
            changed[f"train.{key}"] = value
    sets = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in changed.items()]
    return ["--recipe", shipped, *(part for text in sets for part in ("--set", text))]


def published(hub: Hub, repo: HfUri, wheel: Path) -> str | None:
    """The commit that brought this very wheel into the repo, or None."""
    try:
        found = hub.api.get_paths_info(repo.id, f"jobs/{wheel.name}", repo_type=repo.type, expand=True)
    except RepositoryNotFoundError:
        return None
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for file in found:
        lfs, last = getattr(file, "lfs", None), getattr(file, "last_commit", None)
        if lfs and last and lfs.sha256 == digest:
            return str(last.oid)
    return None


def upload(hub: Hub, job: TrainingJob) -> str:
    """Commit the wheel to the adapter's repo, which is made where it is not there; the commit's sha."""
    hub.api.create_repo(job.repo.id, repo_type=job.repo.type, exist_ok=True)
    commit = hub.api.create_commit(
        job.repo.id,
        [CommitOperationAdd(job.path_in_repo, job.wheel)],
        repo_type=job.repo.type,
        commit_message=f"jobs: {job.wheel.name}, for training on HF Jobs",
    )
    log(f"jobs: {job.wheel.name} uploaded, {job.repo.to_uri()}@{commit.oid}")
    return str(commit.oid)


def start(hub: Hub, job: TrainingJob) -> dict[str, str]:
    """Hand the job to the Hub: its id and page, and what the Hub says about it."""
    try:
        started = hub.api.run_job(
            image=IMAGE,
            command=job.command,
            env=dict(ENVIRONMENT),
            secrets={"HF_TOKEN": hub.api.token or get_token()},
            flavor=job.flavor,
            timeout=job.timeout,
            name=job.name,
            namespace=hub.namespace,
        )
    except HfHubHTTPError as error:
        raise HanjulError(
            f"The Hub does not start the job: {error.server_message or error}",
            f"flavor {job.flavor}",
            "`hf jobs hardware` lists machines and prices; jobs take credits: https://huggingface.co/settings/billing",
        ) from error
    log(f"jobs: {started.status.message or started.status.stage}")
    log(f"follow it: hf jobs logs -f {hub.namespace}/{started.id}; end it: hf jobs cancel {hub.namespace}/{started.id}")
    return {"id": started.id, "url": started.url}


def table(facts: dict[str, Any]) -> str:
    """What a dry run prints."""
    shown = facts | {
        "commit": facts["commit"] or "none yet: the upload makes it",
        "env": " ".join(f"{key}={value}" for key, value in facts["env"].items()),
        "secrets": ", ".join(facts["secrets"]),
        "command": shlex.join(facts["command"]),
    }
    return "\n".join(f"{name:<9}{value}" for name, value in shown.items())


def _pins() -> Sequence[str]:
    """The versions that are installed here, without the mark of a build (`+cpu`) that no index has."""
    return [f"{name}=={metadata.version(name).split('+')[0]}" for name in PINNED]
