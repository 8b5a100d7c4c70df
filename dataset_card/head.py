"""The YAML head of the dataset repo's README: what we say in it, merged with what a person said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import yaml
from huggingface_hub import CardData, DatasetCardData, RepoCard

from dataset_card.facts import Facts
from pipelines.errors import HanjulError
from pipelines.features import CONFIG_FILES
from pipelines.filters.filter_rows import CANDIDATE_REASONS

TAGS = ["korean", "advertising", "copywriting", "ad-copy", "distilabel"]
#: Upper bounds of the Hub's size categories, in rows.
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
#: Configs that a release writes, or leaves out where they have no rows.
RELEASED = ("default", "rejected", "candidates", "preferences")
#: What `dataset_info` says of files, which is no longer true once they are written anew.
OF_FILES = ("features", "splits", "download_size", "dataset_size")


def metadata(facts: Facts) -> dict[str, Any]:
    """The YAML head of a release's README."""
    sources = facts.computed.sources
    synthetic = ["synthetic"] if "synthesised" in sources else []
    # Rows of another's corpus carry that corpus's licence, which is for the maintainer to state.
    imported = "imported" in sources
    data = DatasetCardData(
        language=["ko"],
        license="other" if imported else "cc-by-4.0",
        license_name="mixed-see-card" if imported else None,
        pretty_name=facts.given.title,
        tags=[*synthetic, *TAGS],
        task_categories=["text-generation"],
        size_categories=[size_category(facts.computed.after.rows)],
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        multilinguality=["monolingual"],
        source_datasets=["extended"] if imported else ["original"],
        configs=_configs(facts),
    )
    return _dict(data)


def config(name: str, splits: Collection[str] = ()) -> dict[str, Any]:
    """A config's entry in the YAML head: name, files by split, and whether it is loaded when none is named.

    Args:
        splits: those that have rows; none given are all.
    """
    files = [
        {"split": split, "path": path} for split, path in CONFIG_FILES[name].items() if not splits or split in splits
    ]
    return {"config_name": name, "data_files": files} | ({"default": True} if name == "default" else {})


def _configs(facts: Facts) -> list[dict[str, Any]]:
    """The configs of a release, without splits and configs that have no rows: `load_dataset` fails on those."""
    computed = facts.computed
    filled = [split for split, (rows, _) in computed.splits.items() if rows]
    configs = [config("default", filled), config("raw")]
    if computed.rejected.keys() - CANDIDATE_REASONS:
        configs.append(config("rejected"))
    if computed.rejected.keys() & CANDIDATE_REASONS:
        configs.append(config("candidates"))
    if computed.preference_splits:
        configs.append(config("preferences", computed.preference_splits))
    if computed.pairs:
        configs.append(config("pairs"))
    return configs


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows."""
    return next((name for bound, name in SIZES if rows < bound), "1M<n<10M")


def merged(existing: str, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Their metadata with ours over it; tags are united, and configs by name, but a release knows its own."""
    theirs = data_of(existing)
    entries = configs_of(existing)
    if "license" in ours:  # a release
        theirs = {key: value for key, value in theirs.items() if not key.startswith("license")}
        entries = [entry for entry in entries if entry["config_name"] not in RELEASED]
    found = {**ours, **{key: value for key, value in theirs.items() if key not in ours}}
    if "tags" in ours:
        tags = theirs.get("tags") or []
        found["tags"] = list(dict.fromkeys([*ours["tags"], *([tags] if isinstance(tags, str) else tags)]))
    configs = {entry["config_name"]: entry for entry in [*entries, *ours["configs"]]}
    order = {name: place for place, name in enumerate(CONFIG_FILES)}
    found["configs"] = sorted(configs.values(), key=lambda entry: order.get(entry["config_name"], len(order)))
    if "dataset_info" in found and not (info := _info(found["dataset_info"])):
        del found["dataset_info"]
    elif "dataset_info" in found:
        found["dataset_info"] = info
    return found


def _info(info: Any) -> Any:
    """Their `dataset_info`; of our configs without the schema and sizes of files that are no longer there."""
    if isinstance(info, list):
        return [kept for entry in info if (kept := _info(entry))]
    if not isinstance(info, dict) or info.get("config_name", "default") not in CONFIG_FILES:
        return info
    kept = {key: value for key, value in info.items() if key not in OF_FILES}
    return kept if kept.keys() - {"config_name"} else {}


def data_of(existing: str) -> dict[str, Any]:
    """The metadata of a README; empty where it has none."""
    return _dict(_parse(existing).data) if existing else {}


def configs_of(existing: str) -> list[dict[str, Any]]:
    """The configs that the metadata of a README names."""
    entries = data_of(existing).get("configs")
    return (
        [one for one in entries if isinstance(one, dict) and "config_name" in one] if isinstance(entries, list) else []
    )


def body_of(existing: str) -> str:
    """A README without its head."""
    return str(_parse(existing).text) if existing else ""


def _parse(readme: str) -> RepoCard:
    """A README in its parts. Some editors begin a file with a byte order mark, which would hide its head.

    Raises:
        HanjulError: its metadata cannot be read.
    """
    try:
        return RepoCard(readme.removeprefix("\ufeff"), ignore_metadata_errors=True)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        problem = getattr(error, "problem", None) or error
        raise HanjulError(
            f"The metadata of the README cannot be read: {problem}", next_step="mend the lines between its --- marks"
        ) from error


def with_head(data: Mapping[str, Any], body: str) -> str:
    """A README of metadata and text."""
    return f"---\n{DatasetCardData(**data).to_yaml()}\n---\n\n{body.lstrip()}"


def _dict(data: CardData) -> dict[str, Any]:
    return dict(data.to_dict())  # type: ignore[no-untyped-call]
