"""The README of the dataset repo: facts through a template, merged with what a person wrote there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import CardData, DatasetCardData, RepoCard
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dataset_card.facts import Facts
from dataset_card.figures import REASON_NAMES
from pipelines.features import CONFIG_FILES
from pipelines.markdown import cell

#: Everything between these is ours and written anew; everything else in a README is a person's and stays.
BEGIN, END = "<!-- hanjul:begin -->", "<!-- hanjul:end -->"
TAGS = ["korean", "advertising", "copywriting", "ad-copy", "distilabel"]
#: Upper bounds of the Hub's size categories, in rows.
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def render(facts: Facts, figures: Sequence[str], existing: str = "") -> str:
    """The README of a release.

    Args:
        figures: paths of pictures in the repo, as `draw_figures` gave them.
        existing: the README that is there; what a person wrote in it is kept: text outside our marks, metadata keys
            that we do not set, tags.
    """
    body = _template("card.md.jinja").render(
        facts=facts,
        given=facts.given,
        produced=facts.produced,
        computed=facts.computed,
        figures={Path(path).stem: path for path in figures},
        reasons=REASON_NAMES,
        gemma="gemma" in facts.produced.teacher_base.lower(),
    )
    return _write(existing, metadata(facts), body)


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


def merge_configs(existing: str, repo_id: str, name: str) -> str:
    """The README that is there with one config more, or a minimal one where there is none.

    For the small stages, whose commits are not releases. A README that has the config already comes back as it is.
    """
    if existing:
        configs = _data(existing).get("configs") or []
        if config(name) in configs:
            return existing
        return _head(_merged(existing, {"configs": [config(name)]}), _body(existing))
    body = _template("minimal.md.jinja").render(repo_id=repo_id)
    return _write("", {"language": ["ko"], "tags": TAGS, "configs": [config(name)]}, body)


def _configs(facts: Facts) -> list[dict[str, Any]]:
    """The configs of a release, without splits and configs that have no rows: `load_dataset` fails on those."""
    filled = [split for split, (rows, _) in facts.computed.splits.items() if rows]
    configs = [config("default", filled), config("raw")]
    if facts.computed.rejected.keys() - {"outranked"}:
        configs.append(config("rejected"))
    if "outranked" in facts.computed.rejected:
        configs.append(config("candidates"))
    if "synthesised" in facts.computed.sources:
        configs.append(config("pairs"))
    return configs


def config(name: str, splits: Collection[str] = ()) -> dict[str, Any]:
    """A config's entry in the YAML head: name, files by split, and whether it is loaded when none is named.

    Args:
        splits: those that have rows; none given are all.
    """
    files = [
        {"split": split, "path": path} for split, path in CONFIG_FILES[name].items() if not splits or split in splits
    ]
    return {"config_name": name, "data_files": files} | ({"default": True} if name == "default" else {})


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows."""
    return next((name for bound, name in SIZES if rows < bound), "1M<n<10M")


def _write(existing: str, ours: Mapping[str, Any], body: str) -> str:
    block = f"{BEGIN}\n{body.strip()}\n{END}"
    theirs = _body(existing)
    if BEGIN in theirs and END in theirs:
        before, _, rest = theirs.partition(BEGIN)
        text = before + block + rest.partition(END)[2]
    else:
        text = f"{theirs.rstrip()}\n\n{block}\n" if theirs.strip() else block + "\n"
    return _head(_merged(existing, ours), text)


def _merged(existing: str, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Their metadata with ours over it; tags are united, and configs by name, but a release knows its own."""
    theirs = _data(existing)
    if "license" in ours:  # a release
        theirs = {key: value for key, value in theirs.items() if not key.startswith("license")}
        kept = [entry for entry in theirs.get("configs") or [] if entry["config_name"] not in ("default", "rejected")]
        theirs["configs"] = kept
    merged = {**ours, **{key: value for key, value in theirs.items() if key not in ours}}
    if "tags" in ours:
        merged["tags"] = list(dict.fromkeys([*ours["tags"], *(theirs.get("tags") or [])]))
    configs = {entry["config_name"]: entry for entry in [*(theirs.get("configs") or []), *ours["configs"]]}
    order = {name: place for place, name in enumerate(CONFIG_FILES)}
    merged["configs"] = sorted(configs.values(), key=lambda entry: order.get(entry["config_name"], len(order)))
    return merged


def _data(existing: str) -> dict[str, Any]:
    return _dict(RepoCard(existing, ignore_metadata_errors=True).data) if existing else {}


def _body(existing: str) -> str:
    return str(RepoCard(existing, ignore_metadata_errors=True).text) if existing else ""


def _dict(data: CardData) -> dict[str, Any]:
    return dict(data.to_dict())  # type: ignore[no-untyped-call]


def _head(data: Mapping[str, Any], body: str) -> str:
    return f"---\n{DatasetCardData(**data).to_yaml()}\n---\n\n{body.lstrip()}"


def _template(name: str) -> Any:
    # Markdown for a README: the Hub sanitises what it renders, and escaping would show as entities in tables.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters["cell"] = cell
    return environment.get_template(name)
