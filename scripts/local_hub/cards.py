"""Read card data and tags from a repo's README, and find the mistakes that the Hub refuses."""

import math
from itertools import count

import yaml

from scripts.local_hub.names import Kind

JSON = dict[str, object]
#: The licences that the Hub knows (https://huggingface.co/docs/hub/repositories-licenses).
LICENSES = frozenset((
    "afl-3.0", "agpl-3.0", "apache-2.0", "apple-amlr", "apple-ascl", "artistic-2.0", "bigcode-openrail-m",
    "bigscience-bloom-rail-1.0", "bigscience-openrail-m", "bsd", "bsd-2-clause", "bsd-3-clause",
    "bsd-3-clause-clear", "bsl-1.0", "c-uda", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
    "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "creativeml-openrail-m",
    "deepfloyd-if-license", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2",
    "fair-noncommercial-research-license", "gemma", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "grok2-community",
    "h-research", "intel-research", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "lgpl-lr", "llama2", "llama3",
    "llama3.1", "llama3.2", "llama3.3", "llama4", "lppl-1.3c", "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by",
    "ofl-1.1", "openmdw-1.0", "openrail", "openrail++", "osl-3.0", "other", "pddl", "postgresql", "unknown",
    "unlicense", "wtfpl", "zlib",
))  # fmt: skip
_MAX_NODES = 20_000
_COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_LISTS = ("license", "language", "datasets", "base_model", "task_categories", "size_categories")
_SDKS = ("gradio", "docker", "static", "streamlit")
# Card fields that the Hub repeats as `field:value` tags, by kind of repo.
_TAGGED: dict[Kind, tuple[str, ...]] = {
    "models": ("license", "datasets", "base_model"),
    "datasets": ("license", "language", "task_categories", "size_categories", "annotations_creators"),
    "spaces": ("license",),
    "kernels": ("license",),
}
_TAG_PREFIX = {"datasets": "dataset"}
_BARE_TAGS: dict[Kind, tuple[str, ...]] = {
    "models": ("library_name", "pipeline_tag", "language"),
    "datasets": (),
    "spaces": (),
    "kernels": (),
}


class CardError(ValueError):
    """The front matter cannot be read."""


def front_matter(text: str) -> JSON:
    """Parse the YAML between the first two `---` lines into plain JSON values; `{}` when there is none.

    Blank lines may stand before, as for the clients.
    """
    lines = text.lstrip("\ufeff \r\n\t").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        return {}
    try:
        parsed = _plain(yaml.safe_load("\n".join(lines[1:end])), count())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CardError(f"Invalid YAML in the metadata: {' '.join(str(error).split())}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise CardError("The metadata must be a mapping")
    return parsed


def tags(kind: Kind, card: JSON) -> list[str]:
    """The tags that the Hub shows: the card's own, then those made from its fields."""
    names = _strings(card.get("tags"))
    for field in _BARE_TAGS[kind]:
        names += _strings(card.get(field))
    for field in _TAGGED[kind]:
        names += [f"{_TAG_PREFIX.get(field, field)}:{value}" for value in _strings(card.get(field))]
    if kind == "models":
        relation = card.get("base_model_relation") or ("adapter" if card.get("library_name") == "peft" else "finetune")
        names += [f"base_model:{relation}:{value}" for value in _strings(card.get("base_model"))]
    return list(dict.fromkeys(names))


def problems(kind: Kind, text: str) -> tuple[list[str], list[str]]:
    """Return the errors that refuse a README, and the warnings that do not."""
    try:
        card = front_matter(text)
    except CardError as error:
        return [str(error)], []
    if not card:
        return [], ["empty or missing yaml metadata in repo card"]
    errors = [
        f'"{field}" must be a string or a list of strings'
        for field in ("tags", *_LISTS)
        if field in card and not _strings(card[field]) and card[field] not in ([], None)
    ]
    if isinstance(card.get("tags"), str):
        errors.append('"tags" must be an array')
    errors += [
        f'"{field}" must be a string'
        for field in ("library_name", "pipeline_tag", "pretty_name")
        if field in card and not isinstance(card[field], str)
    ]
    if any(name not in LICENSES for name in _strings(card.get("license"))):
        errors.append(f'"license" must be one of [{", ".join(sorted(LICENSES))}]')
    if "model-index" in card and not _is_model_index(card["model-index"]):
        errors.append('"model-index" must be a list of {name, results: [{task, dataset, metrics}]}')
    if kind == "spaces":
        errors += _space_problems(card)
    return errors, []


def _space_problems(card: JSON) -> list[str]:
    errors = [
        f'"{field}" must be one of [{", ".join(_COLORS)}]'
        for field in ("colorFrom", "colorTo")
        if field in card and card[field] not in _COLORS
    ]
    if card.get("sdk") not in _SDKS:
        errors.append(f'"sdk" must be one of [{", ".join(_SDKS)}]')
    if len(str(card.get("short_description") or "")) > 60:
        errors.append('"short_description" must be at most 60 characters long')
    return errors


def _is_model_index(value: object) -> bool:
    if not isinstance(value, list):
        return False
    for entry in value:
        results = entry.get("results") if isinstance(entry, dict) else None
        if not isinstance(results, list) or not isinstance(entry.get("name"), str):
            return False
        for result in results:
            if not isinstance(result, dict) or not {"task", "dataset", "metrics"} <= result.keys():
                return False
    return True


def _strings(value: object) -> list[str]:
    """A string or list of strings as a list; anything else is empty."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    return []


def _plain(value: object, nodes: "count[int]") -> object:
    """A YAML value as JSON has it: without dates, NaN and repeated nodes that multiply when written out."""
    if next(nodes) > _MAX_NODES:
        raise ValueError("too large")
    if isinstance(value, dict):
        return {str(key): _plain(item, nodes) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item, nodes) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)
