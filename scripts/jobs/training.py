"""`hanjul train … --on jobs`: the same training on a machine of Hugging Face, paid by the minute.

    hanjul train hf://datasets/NAMESPACE/hanjul-copy --recipe train/polyglot-ko-3.8b --on jobs --flavor a10g-small

A job that was ended begins anew: its disk goes with it.
"""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfUri, get_token
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from pipelines.errors import HanjulError
from scripts.core.faults import RETRIED
from scripts.core.log import log
from scripts.core.settings import Recipe
from scripts.hub import ownership
from scripts.hub.hub import Hub
from scripts.jobs import plan, wheel
from scripts.jobs.plan import TrainingJob


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
    plan.check(recipe.train, timeout or plan.TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        file = wheel.make(Path(folder))
        job = TrainingJob(
            repo=hub.repo("model", recipe.train.repo),
            wheel=file.name,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            endpoint=str(hub.api.endpoint),
            packages=plan.packages(recipe.train),
            arguments=("train", dataset.to_uri(), *plan.options(name, recipe)),
            flavor=flavor or plan.FLAVOR,
            timeout=timeout or plan.TIMEOUT,
        )
        job = replace(job, commit=published(hub, job))
        if dry_run:
            return job.facts()
        if job.commit is None:
            job = replace(job, commit=upload(hub, job, file))
    return job.facts() | start(hub, job)


def published(hub: Hub, job: TrainingJob) -> str | None:
    """The commit that brought this very wheel into the repo, or None."""
    try:
        found = hub.api.get_paths_info(job.repo.id, job.path_in_repo, repo_type=job.repo.type, expand=True)
    except RepositoryNotFoundError:
        return None
    for file in found:
        lfs, last = getattr(file, "lfs", None), getattr(file, "last_commit", None)
        if lfs and last and lfs.sha256 == job.sha256:
            return str(last.oid)
    return None


def upload(hub: Hub, job: TrainingJob, file: Path) -> str:
    """Commit the wheel to the adapter's repo, which is made where it is not there; the commit's sha.

    Raises:
        HanjulError: others have filled that repo, and the job could not publish there.
    """
    ownership.check(hub, job.repo, "train")
    hub.api.create_repo(job.repo.id, repo_type=job.repo.type, exist_ok=True)
    commit = hub.api.create_commit(
        job.repo.id,
        [CommitOperationAdd(job.path_in_repo, file)],
        repo_type=job.repo.type,
        commit_message=f"jobs: {job.wheel}, for training on HF Jobs",
    )
    log(f"jobs: {job.wheel} uploaded, {job.repo.to_uri()}@{commit.oid}")
    return str(commit.oid)


def start(hub: Hub, job: TrainingJob) -> dict[str, str]:
    """Hand the job to the Hub: its id and page. What the Hub says about it goes to the log."""
    try:
        started = hub.api.run_job(
            image=plan.IMAGE,
            command=job.command,
            env=dict(plan.ENVIRONMENT),
            secrets={plan.SECRET: hub.api.token or get_token()},
            flavor=job.flavor,
            timeout=job.timeout,
            name=job.name,
            namespace=hub.namespace,
        )
    except HfHubHTTPError as error:
        if error.response.status_code in RETRIED:  # no word about the job
            raise
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
