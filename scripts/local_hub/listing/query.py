"""What a list is asked for: filters, order and fields. What is not known here is refused, never ignored."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from scripts.local_hub.cards import JSON
from scripts.local_hub.errors import bad_request
from scripts.local_hub.names import Kind

_EVERYWHERE = {"author", "search", "filter", "sort", "direction", "limit", "cursor", "full", "expand", "gated"}
_KNOWN: dict[Kind, set[str]] = {
    "models": _EVERYWHERE | {"pipeline_tag", "num_parameters", "cardData", "config"},
    "datasets": _EVERYWHERE,
    "spaces": _EVERYWHERE - {"gated"} | {"datasets", "models", "linked"},
    "kernels": _EVERYWHERE,
}
_SORTS = ("createdAt", "lastModified", "downloads", "likes", "trendingScore")
_ALL_FIELDS = {
    "author", "cardData", "createdAt", "disabled", "lastModified", "likes", "private", "resourceGroup", "sha",
    "siblings", "tags", "trendingScore", "usedStorage",
}  # fmt: skip
#: What `expand` may name, as the clients know it; of some nothing is known here.
_FIELDS: dict[Kind, set[str]] = {
    "models": _ALL_FIELDS | {
        "baseModels", "childrenModelCount", "config", "downloads", "downloadsAllTime", "evalResults", "gated", "gguf",
        "inference", "inferenceProviderMapping", "library_name", "mask_token", "model-index", "pipeline_tag",
        "safetensors", "spaces", "transformersInfo", "widgetData",
    },
    "datasets": _ALL_FIELDS | {
        "citation", "description", "downloads", "downloadsAllTime", "gated", "mainSize", "paperswithcode_id",
    },
    "spaces": _ALL_FIELDS | {"datasets", "models", "region", "runtime", "sdk", "subdomain"},
    "kernels": _ALL_FIELDS | {"downloads", "gated"},
}  # fmt: skip
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

Test = Callable[[JSON], bool]


@dataclass(frozen=True)
class Query:
    """Filters beyond author and search, the order, and the fields of each entry (none: the usual ones)."""

    tests: tuple[Test, ...]
    sort: str
    descending: bool
    fields: frozenset[str]
    full: bool

    def pick(self, views: Iterable[JSON]) -> list[JSON]:
        """Those that are asked for, in order. They come in the newest first, which decides between equals."""
        kept = [view for view in views if all(test(view) for test in self.tests)]
        if self.sort:
            kept.sort(key=lambda view: view[self.sort], reverse=self.descending)  # type: ignore[arg-type,return-value]
        return kept

    def shown(self, view: JSON) -> JSON:
        if self.fields:
            return {key: value for key, value in view.items() if key in {"_id", "id", *self.fields}}
        return view


def read(kind: Kind, params: QueryParams) -> Query:
    """
    Raises:
        ApiError: 400, a parameter or its value is not known.
    """
    if unknown := sorted(params.keys() - _KNOWN[kind]):
        raise bad_request(f"Lists of {kind} know no {', '.join(unknown)} here.")
    sort = params.get("sort", "")
    if sort and sort not in _SORTS:
        raise bad_request(f"A list is sorted by one of {', '.join(_SORTS)}, not by {sort!r}.")
    if params.get("direction", "-1") not in ("-1", "1"):
        raise bad_request("`direction` is -1 or 1.")
    tests = [*_of_tags(params), *_of_fields(params), *_of_cards(params)]
    if size := params.get("num_parameters"):
        tests.append(_of_size(size))
    fields = fields_of(kind, params.getlist("expand"))
    return Query(tuple(tests), sort, params.get("direction") != "1", fields, _flag(params, "full"))


def fields_of(kind: Kind, expand: Iterable[str]) -> frozenset[str]:
    """
    Raises:
        ApiError: 400, one is no field of this kind.
    """
    fields = frozenset(name for value in expand for name in value.split(","))
    if unknown := sorted(fields - _FIELDS[kind]):
        raise bad_request(f"`expand` knows no {', '.join(unknown)} for {kind}.")
    return fields


def _flag(params: QueryParams, name: str) -> bool:
    value = params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise bad_request(f"`{name}` is true or false.")
    return value in ("true", "1")


def _of_tags(params: QueryParams) -> list[Test]:
    wanted = {tag for value in params.getlist("filter") for tag in value.split(",")}
    return [lambda view: wanted <= set(view["tags"])] if wanted else []  # type: ignore[call-overload]


def _of_fields(params: QueryParams) -> list[Test]:
    tests: list[Test] = []
    if "gated" in params:
        gated = _flag(params, "gated")
        tests.append(lambda view: bool(view["gated"]) == gated)
    if tag := params.get("pipeline_tag"):
        tests.append(lambda view: view.get("pipeline_tag") == tag)
    return tests


def _of_cards(params: QueryParams) -> list[Test]:
    """Of Spaces: which use a model or a dataset, by their cards; `linked`: any."""

    def named(view: JSON, field: str) -> set[str]:
        card = view.get("cardData")
        value = card.get(field) if isinstance(card, dict) else None
        return {value} if isinstance(value, str) else set(map(str, value)) if isinstance(value, list) else set()

    tests: list[Test] = []
    for field in ("models", "datasets"):
        if wanted := set(params.getlist(field)):
            tests.append(lambda view, field=field, wanted=wanted: bool(wanted & named(view, field)))  # type: ignore[misc]
    if _flag(params, "linked"):
        tests.append(lambda view: bool(named(view, "models") | named(view, "datasets")))
    return tests


def _of_size(text: str) -> Test:
    """`min:6B`, `max:500M`, `min:1B,max:8B`. Models of which it is not known are in none."""
    limits = {}
    for part in text.split(","):
        found = re.fullmatch(r"(min|max):(\d{1,9}(?:\.\d{1,6})?)([KMBT]?)", part.strip(), re.IGNORECASE)
        if not found:
            raise bad_request(f"`num_parameters` is like min:1B,max:8B, not {text!r}.")
        limits[found[1].lower()] = float(found[2]) * _UNITS[found[3].upper()]

    def test(view: JSON) -> bool:
        known = view.get("safetensors")
        total = known.get("total") if isinstance(known, dict) else None
        return total is not None and limits.get("min", 0) <= total <= limits.get("max", float("inf"))

    return test
