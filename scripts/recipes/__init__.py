"""Recipes: YAML gives the defaults of a release, flags override them, unknown keys are errors with the nearest key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.errors import HanjulError
from scripts.core.settings import Recipe
from scripts.recipes.overriding import overridden

FOLDER = Path(__file__).parent


def load(name: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by file, or by the name of one that ships with Hanjul (`offline`, `train/polyglot-ko-3.8b`).

    Args:
        overrides: dotted key -> value, e.g. `{"import.source": "rows.json"}`. They win over the file; see `overriding`.

    Raises:
        HanjulError: not found, not YAML, an unknown key, a value out of range.
    """
    path = _find(name)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise HanjulError(
            "The recipe cannot be read", str(path), f"check the file and its permissions: {error}"
        ) from error
    except yaml.YAMLError as error:
        raise HanjulError(
            "The recipe is not YAML",
            f"{path}{_line(error)}",
            "mend the line, or compare with scripts/recipes/offline.yaml",
        ) from error
    if not isinstance(content, dict):
        raise HanjulError("The recipe is not a mapping of keys", str(path), "compare with scripts/recipes/offline.yaml")
    try:
        return Recipe.model_validate(overridden(content, overrides or {}))
    except ValidationError as error:
        raise _explain(error, path) from error


def _find(name: str) -> Path:
    if name in shipped():
        return FOLDER / f"{name}.yaml"
    path = Path(name)
    if not path.is_file():
        raise HanjulError("No such recipe", name, f"give a YAML file or one of: {', '.join(shipped())}")
    return path


def shipped() -> list[str]:
    """Names of the recipes that come with Hanjul: releases, and `train/…`, one for each base model."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.yaml"))


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _explain(error: ValidationError, path: Path) -> HanjulError:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    where = f"{path}: {'.'.join(place)}"
    if first["type"] != "extra_forbidden":
        return HanjulError(f"A value of the recipe does not fit: {first['msg']}", where, "change the value")
    near = difflib.get_close_matches(place[-1], _keys(place[:-1]), n=1, cutoff=0.0)
    return HanjulError("Unknown key in the recipe", where, f"did you mean `{near[0]}`?" if near else "remove it")


def _keys(place: list[str]) -> list[str]:
    """Keys that are known at a place of the recipe, e.g. ["synthesize", "teacher"]."""
    model: type[BaseModel] = Recipe
    for part in place:
        fields = {(field.alias or name): field for name, field in model.model_fields.items()}
        kinds = [fields[part].annotation, *getattr(fields[part].annotation, "__args__", ())]
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return [field.alias or name for name, field in model.model_fields.items()]
