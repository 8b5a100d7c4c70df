"""The lines that rows are compared with: real slogans, and those of somebody's evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfUri

from pipelines import filters
from pipelines.filters.limits import Limits
from pipelines.synthesis.examples import EXAMPLES, load_examples
from pipelines.text.line_index import Lines
from scripts.core.errors import HanjulError
from scripts.core.files import digest
from scripts.core.settings import FilterSettings, Recipe
from scripts.hub.hub import Hub, repo_uri
from scripts.hub.tables import COLUMNS, identify, read


@dataclass(frozen=True)
class References:
    """What a recipe's filters compare rows with, and what pins it.

    Attributes:
        slogans, eval_lines: files or pinned datasets; None where none is named.
        identities: inputs of a stage that filters.
    """

    slogans: Path | HfUri | None
    eval_lines: Path | HfUri | None
    identities: dict[str, str]

    @classmethod
    def find(cls, hub: Hub, settings: FilterSettings) -> References:
        """Those that a recipe's filters name.

        Raises:
            HanjulError: one cannot be read.
        """

        found: dict[str, Any] = {"slogans": None, "eval_lines": None}
        identities = {"slogans of Hanjul": digest(EXAMPLES), "rules of Hanjul": rules_identity()}
        if settings.semantic:
            identities["encoder"] = f"hf://models/{settings.semantic.model}@{settings.semantic.revision}"
        for name in found:
            if source := getattr(settings, name):
                found[name], identities[name] = identify(hub, source)
        return cls(**found, identities=identities)

    @staticmethod
    def pinned(hub: Hub, recipe: Recipe) -> Recipe:
        """The recipe with the commit of its sentence encoder, if it names one.

        Raises:
            HanjulError: there is no such model.
        """
        semantic = recipe.filter.semantic
        if semantic is None:
            return recipe
        found = hub.resolve(repo_uri("model", semantic.model, semantic.revision), "model")
        pinned = semantic.model_copy(update={"revision": found.revision})
        return recipe.model_copy(update={"filter": recipe.filter.model_copy(update={"semantic": pinned})})

    def limits(self, hub: Hub | None, settings: FilterSettings) -> Limits:
        """The filters' own view of a recipe's thresholds, with the lines to compare.

        Raises:
            HanjulError: a source is no table, or has no column of lines.
        """

        slogans = [row["ad_copy"] for row in load_examples()]
        return Limits(
            **settings.model_dump(include={limit.name for limit in fields(Limits)} - {"slogans", "reserved", "scored"}),
            slogans=Lines([*slogans, *_lines(hub, self.slogans)]),
            reserved=Lines(_lines(hub, self.eval_lines)),
            scored=settings.judge == "likelihood",
        )


def rules_identity() -> str:
    """What pins the filters themselves: their lists of words and forms, and the version of their code."""

    lists = sorted(Path(filters.__file__).parent.glob("*.yaml"))
    content = "".join(path.read_text(encoding="utf-8") for path in lists)
    return f"{filters.VERSION} sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def default_limits(*, slogans: Iterable[str] = (), eval_lines: Iterable[str] = (), **changes: Any) -> Limits:
    """The limits of `hanjul filter` without scores, for pipelines of others.

    Args:
        slogans: lines that no row may resemble, besides the real slogans of Hanjul.
        eval_lines: lines of an evaluation, likewise.
        changes: thresholds, with the names of a recipe's section `filter`.

    Raises:
        TypeError: no such threshold.
        pydantic.ValidationError: a value that it cannot have.
    """

    if unknown := changes.keys() - {limit.name for limit in fields(Limits)}:
        raise TypeError(f"no thresholds of the filters: {', '.join(sorted(unknown))}")
    chosen = References(None, None, {}).limits(None, FilterSettings(judge="none", **changes))
    return replace(chosen, slogans=Lines([*chosen.slogans.lines, *slogans]), reserved=Lines(eval_lines))


def _lines(hub: Hub | None, source: Path | HfUri | None) -> list[str]:
    if source is None:
        return []
    assert hub, "a source has been found on a Hub"
    lines = []
    for number, record in enumerate(read(hub, source), 1):
        names = [name for name in COLUMNS["ad_copy"] if name in record]
        if not names:
            known = " / ".join(COLUMNS["ad_copy"])
            raise HanjulError(f"Row {number} has no line", str(source), f"name the column one of {known}")
        lines += [str(record[name]) for name in names if record[name]]
    return [line for line in lines if line.strip()]
