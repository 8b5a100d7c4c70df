"""The stage contract: pinned inputs, one commit with its parent, a manifest, and nothing done twice.

A stage is known by its fingerprint: name, pinned inputs and recipe section. The fingerprint stands in the commit's
description, so that any later run, on any machine, finds the finished output in the repo's own history.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, HfApi, HfUri, hf_hub_download, parse_hf_uri, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HfUriError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from scripts import env
from scripts.errors import HanjulError
from scripts.log import log

MANIFEST = "manifest.json"
PACKAGES = ("hanjul", "torch", "transformers", "datasets", "huggingface_hub", "peft", "trl", "distilabel", "deepeval")


@dataclass(frozen=True)
class Stage:
    """One step of a release, known by what goes into it.

    Attributes:
        name: verb of the stage, e.g. `filter`.
        repo: the repo it writes to, without a revision.
        inputs: name -> pinned URI (`hf://…@<40 hex>`) or `sha256:<hex>` of a local file.
        settings: the recipe section as run, JSON values only.
        sealed: tag of a finished release; when set, the stage may be found but not run.
    """

    name: str
    repo: HfUri
    inputs: Mapping[str, str]
    settings: Mapping[str, Any]
    sealed: str | None = None

    def fingerprint(self) -> str:
        """16 hex digits over name, repo, inputs and settings."""
        content = json.dumps(
            [self.name, self.repo.to_uri(), dict(self.inputs), dict(self.settings)], ensure_ascii=False, sort_keys=True
        )
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass
class Outcome:
    """What a stage's work leaves beside the files: numbers for the manifest and for the commit's title."""

    summary: str
    counts: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)  # tokens, requests, cost in USD


@dataclass(frozen=True)
class Hub:
    """A Hub and the namespace we publish under."""

    api: HfApi
    namespace: str

    @property
    def is_local(self) -> bool:
        return str(self.api.endpoint).startswith("http://127.0.0.1")

    def repo(self, kind: str, name: str) -> HfUri:
        """URI of one of our repos: `name` alone, or with a namespace of its own."""
        return HfUri(type=kind, id=name if "/" in name else f"{self.namespace}/{name}")  # type: ignore[arg-type]

    def resolve(self, uri: str | HfUri) -> HfUri:
        """The same URI with its revision as a full commit sha."""
        try:
            parsed = parse_hf_uri(uri) if isinstance(uri, str) else uri
            info = self.api.repo_info(parsed.id, repo_type=parsed.type, revision=parsed.revision)
        except HfUriError as error:
            raise HanjulError(
                "Not a Hub URI", str(uri), "write it like hf://datasets/namespace/name or hf://models/namespace/name@v1"
            ) from error
        except RevisionNotFoundError as error:
            raise HanjulError("No such revision", str(uri), "check the tag, branch or commit sha") from error
        except RepositoryNotFoundError as error:
            raise HanjulError("No such repository", str(uri), f"check the name on {self.api.endpoint}") from error
        return HfUri(type=parsed.type, id=parsed.id, revision=info.sha, path_in_repo=parsed.path_in_repo)

    def head(self, repo: HfUri) -> str | None:
        """Sha of main, or None where the repo does not exist."""
        try:
            return str(self.api.repo_info(repo.id, repo_type=repo.type).sha)
        except RepositoryNotFoundError:
            return None

    def file(self, uri: HfUri, path: str) -> Path | None:
        """A file at a pinned revision, or None where it is not there."""
        try:
            return Path(hf_hub_download(uri.id, path, repo_type=uri.type, revision=uri.revision))
        except EntryNotFoundError:
            return None

    def text(self, uri: HfUri, path: str) -> str:
        """Text of a file at a pinned revision, empty where it is not there."""
        found = self.file(uri, path)
        return found.read_text(encoding="utf-8") if found else ""

    def snapshot(self, uri: HfUri, allow_patterns: list[str] | None = None) -> Path:
        """A folder with the repo's files at a pinned revision."""
        return Path(snapshot_download(uri.id, repo_type=uri.type, revision=uri.revision, allow_patterns=allow_patterns))

    def rows(self, uri: HfUri, config: str, split: str = "train") -> Any:
        """A split of a pinned dataset as `datasets.Dataset`."""
        from datasets import load_dataset

        try:
            return load_dataset(uri.id, config, split=split, revision=uri.revision)
        except ValueError as error:  # an unknown config or split; the message lists those there are
            raise HanjulError(
                f"No rows in config {config}, split {split}: {error}", uri.to_uri(), "check the URI"
            ) from error

    def cache(self, name: str) -> Path:
        """A folder for files that can be made again."""
        folder = env.data_dir() / "cache" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def manifest(self, uri: HfUri) -> dict[str, Any]:
        """The manifest of the stage that made this commit, empty where a person made it."""
        manifest: dict[str, Any] = json.loads(self.text(uri, MANIFEST) or "{}")
        return manifest

    def done(self, stage: Stage) -> HfUri | None:
        """The commit that holds this stage's output, if there is one."""
        mark = f"hanjul-fingerprint: {stage.fingerprint()}"
        try:
            for commit in self.api.list_repo_commits(stage.repo.id, repo_type=stage.repo.type):
                if mark in commit.message:
                    return HfUri(type=stage.repo.type, id=stage.repo.id, revision=commit.commit_id)
        except RepositoryNotFoundError:
            pass
        return None

    def tagged(self, repo: HfUri, tag: str) -> str | None:
        """Sha that a tag stands on, or None."""
        try:
            refs = self.api.list_repo_refs(repo.id, repo_type=repo.type)
        except RepositoryNotFoundError:
            return None
        return next((ref.target_commit for ref in refs.tags if ref.name == tag), None)


def connect() -> Hub:
    """The Hub that HF_ENDPOINT and HF_TOKEN name."""
    api = HfApi()
    try:
        return Hub(api, api.whoami()["name"])
    except (HTTPError, OSError) as error:
        raise HanjulError(
            "The Hub does not accept the token or cannot be reached",
            str(api.endpoint),
            "check HF_TOKEN and the network, or work on the local Hub with `hanjul --local …`",
        ) from error


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
    found = hub.done(stage)
    if found:
        log(f"{stage.name}: done before, {found.to_uri()}")
        return found
    if stage.sealed:
        raise HanjulError(
            f"{stage.sealed} is released, and this recipe would change it at stage {stage.name}",
            stage.repo.to_uri(),
            "raise `version` in the recipe",
        )
    folder = env.data_dir() / "work" / f"{stage.name}-{stage.fingerprint()}"
    started = time.time()
    outcome = _work_once(folder, work)
    manifest = {
        "stage": stage.name,
        "fingerprint": stage.fingerprint(),
        "inputs": dict(stage.inputs),
        "recipe": dict(stage.settings),
        "counts": outcome.counts,
        "usage": outcome.usage,
        "wall_seconds": round(time.time() - started, 1),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
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
    hub.api.create_repo(repo.id, repo_type=repo.type, exist_ok=True, space_sdk=sdk)
    head = hub.head(repo)
    if card:
        parent = HfUri(type=repo.type, id=repo.id, revision=head) if head else None
        (out / "README.md").write_text(card(parent, folder, outcome), encoding="utf-8")
    operations = [
        CommitOperationAdd(path.relative_to(out).as_posix(), path) for path in sorted(out.rglob("*")) if path.is_file()
    ]
    try:
        commit = hub.api.create_commit(
            repo.id,
            operations,
            repo_type=repo.type,
            commit_message=f"{stage.name}: {outcome.summary}",
            commit_description=f"hanjul-fingerprint: {stage.fingerprint()}",
            parent_commit=head,
        )
    except (HfHubHTTPError, ValueError) as error:  # ValueError: the client refuses a card with invalid metadata
        raise HanjulError(
            f"The commit of stage {stage.name} was refused: {getattr(error, 'server_message', None) or error}",
            repo.to_uri(),
            "run the same command again: the finished work is kept and only the commit is repeated",
        ) from error
    return HfUri(type=repo.type, id=repo.id, revision=commit.oid)


def digest(path: Path) -> str:
    """`sha256:<hex>` of a file's content: how a stage pins an input that is no repo."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _git_commit() -> str | None:
    """The source tree's commit, or None where Hanjul was installed without one."""
    answer = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None
