"""Whose a repo is: nothing that somebody else put on the Hub is replaced by a commit of ours.

A dataset keeps what stands there: its README is merged, and files of other configs stay. Lost to its readers would be a
config that goes by a name of ours, or what `load_dataset` finds when it is told no config: the default one, the only
one, or files as long as no README names any config. Of models and Spaces a commit replaces all that counts, so those
must be ours, or empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

from huggingface_hub import HfUri

from dataset_card.head import body_of, configs_of
from pipelines.errors import HanjulError
from pipelines.features import CONFIG_FILES
from pipelines.text.counted import first_of
from scripts.core.faults import input_errors
from scripts.hub.hub import MANIFEST, Hub

#: How the commits of all stages are marked.
MARK = "hanjul-fingerprint:"
#: Config -> paths of its files, of all datasets that Hanjul writes.
LAYOUT = {name: tuple(paths.values()) for name, paths in CONFIG_FILES.items()} | {
    name: (f"{name}/*.parquet",) for name in ("contrast", "scores")
}
#: Files that `load_dataset` takes for rows.
ROWS = {".parquet", ".csv", ".tsv", ".json", ".jsonl", ".txt", ".arrow", ".zip", ".gz", ".zst"}
#: JSON files of ours in datasets, which are no rows.
REPORTS = {MANIFEST, "report.json", "judges.json"}
#: Nobody's work: what the Hub makes itself, and the wheel of `scripts.jobs`.
INCIDENTAL = (".gitattributes", ".gitignore", "README.md", "LICENSE*", "jobs/*.whl")
#: In the README that the Hub gives a new Space.
SPACE_TEMPLATE = "https://huggingface.co/docs/hub/spaces-config-reference"
#: Files that a message names at most.
SHOWN = 3
#: Stage -> what names the repo that it writes to.
NAMED_BY = dict.fromkeys(("import", "pairs", "synthesize", "filter"), "give another name in `dataset`") | {
    "train": "give another name in `train.repo`",
    "space": "give another name in `space.repo`",
    "calibrate": "give another name in `calibrate.repo`",
    "label": "give another --repo",
    "base": "set train.base_revision, e.g. to main, and it is taken as it stands",
}


def check(hub: Hub, repo: HfUri, stage: str) -> None:
    """
    Args:
        stage: the one that is to commit there.

    Raises:
        HanjulError: the commit would replace what somebody else has put there.
    """
    head = hub.head(repo)
    if head is None:
        return
    pinned = HfUri(type=repo.type, id=repo.id, revision=head)
    paths = hub.api.list_repo_files(repo.id, repo_type=repo.type, revision=head)
    with input_errors(f"{pinned.to_uri()}/README.md"):
        theirs = list(_of_dataset(hub, pinned, paths) if repo.type == "dataset" else _of_others(hub, pinned, paths))
    if theirs:
        raise HanjulError(
            f"Stage {stage} would replace what others have put into this repository: {first_of(theirs, SHOWN)}",
            repo.to_uri(),
            NAMED_BY.get(stage, "move that repository to another name") + "; nothing was changed",
        )


def _of_dataset(hub: Hub, pinned: HfUri, paths: list[str]) -> Iterator[str]:
    """What a dataset would lose."""
    is_ours = _is_manifest(hub.text(pinned, MANIFEST))
    if MANIFEST in paths and not is_ours:
        yield MANIFEST
    configs = configs_of(hub.text(pinned, "README.md"))
    for entry in configs:
        name = str(entry["config_name"])
        if name in LAYOUT:
            if not _is_ours(entry):
                yield f"config {name}"
        elif entry.get("default"):
            yield f"config {name}, the default"
        elif len(configs) == 1 and not is_ours:
            yield f"config {name}, the only one"
    if not configs and not is_ours:
        for path in paths:
            known = path in REPORTS or any(fnmatch(path, form) for forms in LAYOUT.values() for form in forms)
            if not known and PurePosixPath(path).suffix in ROWS:
                yield path


def _is_ours(entry: dict[str, Any]) -> bool:
    """Whether a config of a name of ours reads files that stand where Hanjul writes them."""
    found = list(_files(entry.get("data_files")))
    forms = LAYOUT[entry["config_name"]]
    return bool(found) and all(any(fnmatch(path, form) for form in forms) for path in found)


def _files(data_files: Any) -> Iterator[str]:
    """The paths of a config, in any of the forms in which a README may give them."""
    if isinstance(data_files, str):
        yield data_files
    elif isinstance(data_files, list):
        for one in data_files:
            yield from _files(one.get("path") if isinstance(one, dict) else one)


def _of_others(hub: Hub, pinned: HfUri, paths: list[str]) -> Iterator[str]:
    """What a model or Space would lose, unless it is ours."""
    theirs = [path for path in paths if not any(fnmatch(path, form) for form in INCIDENTAL)]
    text = body_of(hub.text(pinned, "README.md")).strip() if "README.md" in paths else ""
    if text and SPACE_TEMPLATE not in text:
        theirs.append("README.md")
    if theirs and not _is_manifest(hub.text(pinned, MANIFEST)) and not hub.commit_with(pinned, MARK):
        yield from theirs


def _is_manifest(text: str) -> bool:
    """Whether this is what a stage says of its commit."""
    with suppress(ValueError):
        found = json.loads(text)
        return isinstance(found, dict) and "fingerprint" in found
    return False
