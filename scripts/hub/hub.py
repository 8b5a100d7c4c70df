"""A Hub as the stages see it: pinned reading, and what stands in a repo's history."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, HfUri, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    BadRequestError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from dataset_card.head import configs_of
from pipelines.errors import HanjulError
from pipelines.features import RAW
from pipelines.progress import Progress
from scripts.core import env
from scripts.core.faults import KEPT, hub_fault, raised_by
from scripts.hub import names
from scripts.hub.patience import patiently

#: The file in which a stage says what it made its commit from.
MANIFEST = "manifest.json"
#: A tag that a release sets.
RELEASE = re.compile(r"v\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Hub:
    """A Hub and the namespace we publish under."""

    api: HfApi
    namespace: str

    @property
    def is_local(self) -> bool:
        return str(self.api.endpoint).startswith("http://127.0.0.1")

    def repo(self, kind: str, name: str, key: str = "") -> HfUri:
        """URI of one of our repos: `name` alone, or with a namespace of its own.

        Args:
            key: of the recipe, or the flag that names it.
        """
        return names.repo_uri(kind, names.with_namespace(name, self.namespace), key=key)

    def resolve(self, uri: str | HfUri, kind: str | None = None, *, file: bool = False) -> HfUri:
        """The same URI with its revision as a full commit sha.

        Args:
            kind: dataset, model or space, where only one of them will do.
            file: the URI may name a file of the repo.
        """
        parsed = names.parse(uri, kind)
        try:
            info = patiently(lambda: self.api.repo_info(parsed.id, repo_type=parsed.type, revision=parsed.revision))
        except (RevisionNotFoundError, BadRequestError) as error:
            longer = self._with_slash(parsed)
            if longer:
                return self.resolve(longer, file=file)
            raise HanjulError("No such revision", str(uri), "check the tag, branch or commit sha") from error
        except RepositoryNotFoundError as error:
            step = f"check the name on {self.api.endpoint}; a private one takes a token that may read it"
            raise HanjulError("No such repository", str(uri), step) from error
        if parsed.path_in_repo and not file:
            whole = HfUri(type=parsed.type, id=parsed.id, revision=parsed.revision).to_uri()
            raise HanjulError("A whole repository is expected, and this is a path in one", str(uri), f"give {whole}")
        return HfUri(type=parsed.type, id=parsed.id, revision=info.sha, path_in_repo=parsed.path_in_repo)

    def _with_slash(self, uri: HfUri) -> HfUri | None:
        """The same URI where the branch or tag has a slash in its name, which reads as the begin of a path; or None."""
        if not uri.path_in_repo:
            return None
        whole = f"{uri.revision}/{uri.path_in_repo}"
        refs = patiently(lambda: self.api.list_repo_refs(uri.id, repo_type=uri.type))
        meant = [ref.name for ref in (*refs.branches, *refs.tags) if f"{whole}/".startswith(f"{ref.name}/")]
        if not meant:
            return None
        revision = max(meant, key=len)
        return HfUri(type=uri.type, id=uri.id, revision=revision, path_in_repo=whole[len(revision) + 1 :])

    def head(self, repo: HfUri) -> str | None:
        """Sha of main, or None where the repo does not exist."""
        try:
            return str(patiently(lambda: self.api.repo_info(repo.id, repo_type=repo.type)).sha)
        except RepositoryNotFoundError:
            return None

    def file(self, uri: HfUri, path: str) -> Path | None:
        """A file at a pinned revision, or None where it is not there."""
        try:
            return Path(hf_hub_download(uri.id, path, repo_type=uri.type, revision=uri.revision))
        except RemoteEntryNotFoundError:  # not LocalEntryNotFoundError, which says that nobody could be asked
            return None

    def text(self, uri: HfUri, path: str) -> str:
        """Text of a file at a pinned revision, without a byte order mark; empty where it is not there.

        Raises:
            HanjulError: it is no text in UTF-8.
        """
        found = self.file(uri, path)
        try:
            return found.read_text(encoding="utf-8-sig") if found else ""
        except UnicodeDecodeError as error:
            raise HanjulError(f"{path} is no text in UTF-8", uri.to_uri(), "save it as UTF-8 and upload it") from error

    def snapshot(self, uri: HfUri, allow_patterns: list[str] | None = None) -> Path:
        """A folder with the repo's files at a pinned revision."""
        with Progress(f"downloading {uri.id}"):
            return Path(
                snapshot_download(uri.id, repo_type=uri.type, revision=uri.revision, allow_patterns=allow_patterns)
            )

    def splits(self, uri: HfUri, config: str) -> dict[str, Any]:
        """The splits of a pinned dataset's config that have rows, as `datasets.Dataset` by name.

        A column of config `raw` that a file of an earlier version lacks is null.
        """
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError

        try:
            # Files of `raw` are written by several stages, maybe of several versions: the first cannot speak for all.
            features = RAW if config == "raw" else None
            return dict(load_dataset(uri.id, config, revision=uri.revision, features=features))
        except (DatasetsError, ValueError, FileNotFoundError) as error:
            if fault := hub_fault(error, absent=False):
                raise fault from error
            if not isinstance(error, DatasetsError) and not raised_by(error, "datasets"):
                raise
            if isinstance(error, FileNotFoundError) and not isinstance(error, DatasetsError):
                # so it says of any answer but the file, and leaves out which it was
                raise HanjulError(f"The Hub failed: {error}", uri.to_uri(), f"wait a little; {KEPT}") from error
            # an unknown config, which the message sets beside those there are
            raise HanjulError(f"No rows in config {config}: {error}", uri.to_uri(), "check the URI") from error

    def rows(self, uri: HfUri, config: str) -> Any:
        """All rows of a pinned dataset's config, split after split."""
        from datasets import concatenate_datasets

        return concatenate_datasets(list(self.splits(uri, config).values()))

    def config_names(self, uri: HfUri) -> list[str]:
        """The configs that the README of a pinned dataset names."""
        return [str(entry["config_name"]) for entry in configs_of(self.text(uri, "README.md"))]

    def cache(self, name: str) -> Path:
        """A folder for files that can be made again."""
        folder = env.data_dir() / "cache" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def manifest(self, uri: HfUri) -> dict[str, Any]:
        """The manifest of the stage that made this commit, empty where a person made it."""
        manifest: dict[str, Any] = json.loads(self.text(uri, MANIFEST) or "{}")
        return manifest

    def commit_with(self, repo: HfUri, mark: str) -> HfUri | None:
        """The newest commit of a repo whose message holds a mark, pinned; None where there is none."""
        try:
            for commit in self.api.list_repo_commits(repo.id, repo_type=repo.type):
                if mark in commit.message:
                    return HfUri(type=repo.type, id=repo.id, revision=commit.commit_id)
        except RepositoryNotFoundError:
            pass
        return None

    def tagged(self, repo: HfUri, tag: str) -> str | None:
        """Sha that a tag stands on, or None."""
        return self._tags(repo).get(tag)

    def before(self, repo: HfUri, version: str) -> tuple[str, HfUri] | None:
        """The newest release older than a version like `v1.2.0`: its tag and the repo pinned there, or None."""
        tags = self._tags(repo)
        older = [tag for tag in tags if RELEASE.fullmatch(tag) and _order(tag) < _order(version)]
        if not older:
            return None
        newest = max(older, key=_order)
        return newest, HfUri(type=repo.type, id=repo.id, revision=tags[newest])

    def _tags(self, repo: HfUri) -> dict[str, str]:
        """Tag -> sha; none where the repo does not exist."""
        try:
            refs = patiently(lambda: self.api.list_repo_refs(repo.id, repo_type=repo.type))
        except RepositoryNotFoundError:
            return {}
        return {ref.name: ref.target_commit for ref in refs.tags}


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.removeprefix("v").split("."))
