"""The lines that rows are compared with: real slogans, and those of somebody's evaluation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.filters import filter_rows, rules
from pipelines.filters.limits import FilterLimits, Limits
from pipelines.slogans import SLOGANS, slogan_lines
from pipelines.text.line_index import Lines
from scripts.core.files import digest
from scripts.core.settings import FilterSettings, Recipe
from scripts.hub.hub import Hub
from scripts.hub.names import repo_uri
from scripts.tables.sources import Source, identify, read
from scripts.tables.table import COLUMNS, Names

#: Of a table of lines.
LINES: Names = {"ad_copy": COLUMNS["ad_copy"]}


@dataclass(frozen=True)
class References:
    """What a recipe's filters compare rows with, and what pins it.

    Attributes:
        slogans, eval_lines: files or pinned datasets; None where none is named.
        identities: inputs of a stage that filters.
    """

    slogans: Source | None
    eval_lines: Source | None
    identities: dict[str, str]

    @classmethod
    def resolve(cls, hub: Hub, settings: FilterSettings) -> References:
        """The files and datasets that a recipe's filters name, with what pins them.

        Raises:
            HanjulError: one cannot be read.
        """

        found: dict[str, Any] = {"slogans": None, "eval_lines": None}
        identities = {"slogans of Hanjul": digest(SLOGANS), "rules of Hanjul": rules_identity()}
        if settings.semantic:
            identities["encoder"] = f"hf://models/{settings.semantic.model}@{settings.semantic.revision}"
        for name in found:
            if source := getattr(settings, name):
                found[name], identities[name] = identify(hub, source)
        return cls(**found, identities=identities)

    def limits(self, hub: Hub, settings: FilterSettings) -> Limits:
        """A recipe's thresholds with the lines to compare with, which are read here.

        Raises:
            HanjulError: a source is no table, or has no column of lines.
        """

        return Limits(
            **settings.model_dump(include=set(FilterLimits.model_fields)),
            slogans=Lines([*slogan_lines().lines, *_lines(hub, self.slogans)]),
            reserved=Lines(_lines(hub, self.eval_lines)),
        )


def pin_encoder(hub: Hub, recipe: Recipe) -> Recipe:
    """The recipe with the commit of its sentence encoder, if it names one.

    Raises:
        HanjulError: there is no such model.
    """
    semantic = recipe.filter.semantic
    if semantic is None:
        return recipe
    found = hub.resolve(repo_uri("model", semantic.model, semantic.revision, "filter.semantic.model"), "model")
    pinned = semantic.model_copy(update={"revision": found.revision})
    return recipe.model_copy(update={"filter": recipe.filter.model_copy(update={"semantic": pinned})})


def rules_identity() -> str:
    """What pins the filters themselves: the version of their behaviour, and their lists of words and forms."""
    lists = sorted(Path(str(rules.__file__)).parent.rglob("*.yaml"))
    content = "".join(path.read_text(encoding="utf-8") for path in lists)
    return f"{filter_rows.VERSION} sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _lines(hub: Hub, source: Source | None) -> list[str]:
    """The lines of a table, of all its columns that hold lines."""
    if source is None:
        return []
    return [line for record in read(hub, source, LINES, {}) for line in record.texts("ad_copy") if line.strip()]
