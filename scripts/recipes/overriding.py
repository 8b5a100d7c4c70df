"""Overrides over a recipe: with another endpoint, what the recipe says of the old one is gone.

A key is for the host that it was named for, a price and a name among kept answers for a model there: they are not taken
along to an address that somebody sets on the command line, unless they are set there, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from pipelines.endpoint.origin import origin_of
from scripts.core.settings import BudgetSettings, EndpointSettings, OfAnyHost, Recipe

#: Keys from the recipe's root to a section.
Place = tuple[str, ...]


def overridden(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a recipe with overrides on top.

    Args:
        overrides: dotted key -> value, e.g. `{"import.source": "rows.json"}`.
    """
    before, after = dict(content), _with_all(content, overrides)
    for place, section in endpoints_of(Recipe):
        old, new = _at(content, place), _at(after, place)
        same_host = _origin(old) == _origin(new)
        if not same_host or old.get("model") != new.get("model"):
            _remove(before, place, _said_of_one_model(section) - ({"api_key_env"} if same_host else set()))
        if not same_host:  # who knows whether the other one has a Batch API
            _remove(before, (*place[:-1], "budget"), {"batch"})
    return _with_all(before, overrides)


def endpoints_of(section: type[BaseModel], place: Place = ()) -> Iterator[tuple[Place, type[EndpointSettings]]]:
    """Where a recipe may name an endpoint, and by which settings."""
    for name, field in section.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, EndpointSettings):
                yield (*place, field.alias or name), kind
            elif isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not BudgetSettings:
                yield from endpoints_of(kind, (*place, field.alias or name))


def _said_of_one_model(section: type[EndpointSettings]) -> set[str]:
    kept = {name for name, field in section.model_fields.items() if OfAnyHost in field.metadata}
    return set(section.model_fields) - kept - {"base_url", "model"}


def _origin(section: Mapping[str, Any]) -> object:
    """Of its address; whatever is none is not that of another."""
    url = section.get("base_url")
    try:
        return origin_of(url) if isinstance(url, str) else url
    except ValueError:  # which the settings tell of
        return url


def _with_all(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(content)
    for key, value in overrides.items():
        *place, last = key.split(".")
        _own(found, tuple(place))[last] = value
    return found


def _remove(content: dict[str, Any], place: Place, keys: set[str]) -> None:
    if keys & _at(content, place).keys():
        section = _own(content, place)
        for key in keys:
            section.pop(key, None)


def _own(content: dict[str, Any], place: Place) -> dict[str, Any]:
    """The section at a place, made where there is none; shared with no other, as YAML's aliases share it."""
    for name in place:
        inner = content.get(name)
        content[name] = dict(inner) if isinstance(inner, dict) else {}
        content = content[name]
    return content


def _at(content: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The section at a place; an empty one where there is none."""
    found: Any = content
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
