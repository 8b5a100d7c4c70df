"""The stage contract: pinned inputs, one commit with its parent, a manifest, and nothing done twice.

A stage is known by its fingerprint: name, pinned inputs and recipe section. The fingerprint stands in the commit's
description, so that any later run, on any machine, finds the finished output in the repo's own history.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfUri
from huggingface_hub.errors import HfHubHTTPError

from pipelines.errors import HanjulError
from pipelines.locks import locked
from pipelines.progress import Progress
from pipelines.text.counted import counted
from scripts.core import env
from scripts.core.faults import KEPT, hub_fault, raised_by
from scripts.core.files import write_atomically
from scripts.core.installed import git_commit, package_versions
from scripts.core.log import log
from scripts.hub import ownership
from scripts.hub.connect import knock
from scripts.hub.hub import MANIFEST, Hub
from scripts.hub.ownership import MARK
from scripts.hub.patience import patiently

#: The status of a commit whose parent is not the newest any more.
PARENT_MOVED = 412
AGAIN = "run the same command again: the finished work is kept and only the commit is repeated"


@dataclass(frozen=True)
class Stage:
    """One step of a release, known by what goes into it.

    Attributes:
        name: verb of the stage, e.g. `filter`.
        repo: the repo it writes to, without a revision.
        inputs: name -> pinned URI (`hf://…@<40 hex>`) or `sha256:<hex>` of a local file.
        settings: what of the recipe changes its output (`scripts.core.fingerprint.output_settings`), JSON values only.
        sealed: tag of a finished release; when set, the stage may be found but not run.
        owns: files that would be wrong beside its new output, each by its whole name, a number in it as `[0-9]`; those
            that it does not write again are deleted in its commit. Nobody else gives files these names.
        adds: it only adds to what its repo holds, whoever made that, and merges the README.
    """

    name: str
    repo: HfUri
    inputs: Mapping[str, str]
    settings: Mapping[str, Any]
    sealed: str | None = None
    owns: tuple[str, ...] = ()
    adds: bool = False

    def fingerprint(self) -> str:
        """16 hex digits over name, repo, inputs and settings."""
        content = json.dumps(
            [self.name, self.repo.to_uri(), dict(self.inputs), dict(self.settings)], ensure_ascii=False, sort_keys=True
        )
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass
class Outcome:
    """What a stage's work leaves beside the files: facts for the manifest and for the commit's title."""

    summary: str
    counts: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)  # tokens, requests, cost in USD
    prompts: dict[str, str] = field(default_factory=dict)  # name of a prompt -> sha256 of its text


def run_stage(
    hub: Hub,
    stage: Stage,
    work: Callable[[Path], Outcome],
    card: Callable[[HfUri | None, Path, Outcome], str] | None = None,
) -> HfUri:
    """Find the stage's output, or make it and commit it once.

    Args:
        work: fills the given folder's `out/` with the files to commit. The folder outlives a crash, so a stage may keep
            checkpoints beside `out/` and go on from them.
        card: README from (pinned parent or None, folder, outcome). Called right before the commit, so it can merge with
            the README that is there.

    Returns:
        The pinned URI of the commit.
    """
    folder = env.work_dir() / f"{stage.name}-{stage.fingerprint()}"
    locks = folder.parent / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    # of two releases at once, one finds what the other made
    with _named(stage, folder), locked(locks / folder.name, f"{stage.name}, {stage.repo.id}"):
        return _find_or_make(hub, stage, folder, work, card)


@contextmanager
def _named(stage: Stage, folder: Path) -> Iterator[None]:
    """Note on whatever is raised, on its way, which stage it was and where its files are."""
    try:
        yield
    except Exception as error:
        error.add_note(f"stage {stage.name}, work folder {folder}")
        raise


def _find_or_make(
    hub: Hub,
    stage: Stage,
    folder: Path,
    work: Callable[[Path], Outcome],
    card: Callable[[HfUri | None, Path, Outcome], str] | None,
) -> HfUri:
    if hub.is_local:  # one that is gone does not come back, and the clients would wait for it
        knock(str(hub.api.endpoint))
    found = hub.commit_with(stage.repo, _mark(stage))
    if found:
        log(f"{stage.name}: done before, {found.to_uri()}")
        return found
    if stage.sealed:
        raise HanjulError(
            f"{stage.sealed} is released, and this recipe would change it at stage {stage.name}",
            stage.repo.to_uri(),
            "raise `version` in the recipe",
        )
    if not stage.adds:  # before hours of work, too
        ownership.check(hub, stage.repo, stage.name)
    started = time.time()
    outcome = _work_once(folder, work)
    manifest = {
        "stage": stage.name,
        "fingerprint": stage.fingerprint(),
        "inputs": dict(stage.inputs),
        "recipe": dict(stage.settings),
        "counts": outcome.counts,
        "usage": outcome.usage,
        "prompts": outcome.prompts,
        "wall_seconds": round(time.time() - started, 1),
        "packages": package_versions(),
        "git_commit": git_commit(),
    }
    (folder / "out" / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    uri = _commit(hub, stage, folder, outcome, card)
    shutil.rmtree(folder)
    log(f"{stage.name}: {outcome.summary}, {uri.to_uri()} ({time.time() - started:.0f} s)")
    return uri


def _work_once(folder: Path, work: Callable[[Path], Outcome]) -> Outcome:
    """Run the work, or take what a run that could not commit has left."""
    finished = folder / "outcome.json"
    if finished.is_file():
        return Outcome(**json.loads(finished.read_text(encoding="utf-8")))
    (folder / "out").mkdir(parents=True, exist_ok=True)
    outcome = work(folder)
    write_atomically(finished, json.dumps(vars(outcome), ensure_ascii=False))
    return outcome


def _commit(
    hub: Hub,
    stage: Stage,
    folder: Path,
    outcome: Outcome,
    card: Callable[[HfUri | None, Path, Outcome], str] | None,
) -> HfUri:
    repo, out = stage.repo, folder / "out"
    sdk = "gradio" if repo.type == "space" else None
    if not stage.adds:
        ownership.check(hub, repo, stage.name)
    with _refusals(stage):
        patiently(lambda: hub.api.create_repo(repo.id, repo_type=repo.type, exist_ok=True, space_sdk=sdk))
    head = hub.head(repo)
    if card:
        parent = HfUri(type=repo.type, id=repo.id, revision=head) if head else None
        (out / "README.md").write_text(card(parent, folder, outcome), encoding="utf-8")
    made = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    deleted = [CommitOperationDelete(name) for name in _owned(hub, stage, head) if name not in made]

    def commit() -> str:
        try:
            done = hub.api.create_commit(
                repo.id,
                [*(CommitOperationAdd(name, path) for name, path in made.items()), *deleted],
                repo_type=repo.type,
                commit_message=f"{stage.name}: {outcome.summary}",
                commit_description=_mark(stage),
                parent_commit=head,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == PARENT_MOVED and (ours := hub.commit_with(repo, _mark(stage))):
                return str(ours.revision)
            raise
        return str(done.oid)

    # Where the Hub fails after it has made the commit, the client finds nothing to add any more and names that one; if
    # files are to be deleted, it asks for them again, and the Hub says that the parent has moved.
    with _refusals(stage), Progress(f"{stage.name}: committing {counted(len(made), 'file')}"):
        return HfUri(type=repo.type, id=repo.id, revision=patiently(commit))


def _owned(hub: Hub, stage: Stage, head: str | None) -> list[str]:
    """Files of the repo that are the stage's to keep or to delete."""
    if not stage.owns or not head:
        return []
    there = hub.api.list_repo_files(stage.repo.id, repo_type=stage.repo.type, revision=head)
    return [name for name in there if any(fnmatchcase(name, pattern) for pattern in stage.owns)]


@contextmanager
def _refusals(stage: Stage) -> Iterator[None]:
    """Say which commit the Hub would not take, why, and what helps."""
    try:
        yield
    except (HfHubHTTPError, ValueError) as error:
        # ValueError: the client refuses a card with invalid metadata
        if not isinstance(error, HfHubHTTPError) and not raised_by(error, "huggingface_hub"):
            raise
        said = getattr(error, "server_message", None) or error
        what = f"The commit of stage {stage.name} was refused: {said}"
        status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
        fault = hub_fault(error)
        if status == PARENT_MOVED:
            what, step = f"Somebody else has committed to this repository meanwhile: {said}", AGAIN
        elif status in (401, 403):
            step = f"take a token that may write to {stage.repo.id}, or name a repository that you may write to; {KEPT}"
        elif fault:
            what, step = fault.what, f"{fault.next_step.partition(';')[0]}, then {AGAIN}"
        else:
            step = f"mend what it names, then {AGAIN}"
        raise HanjulError(what, stage.repo.to_uri(), step) from error


def _mark(stage: Stage) -> str:
    """The line of a commit's description by which a later run finds the stage's output."""
    return f"{MARK} {stage.fingerprint()}"
