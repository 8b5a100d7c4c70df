"""A release of the dataset beside the one before: which rows stay, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from huggingface_hub import HfUri

from dataset_card.changes import Changes, compare
from pipelines.errors import HanjulError
from pipelines.features import to_raw
from pipelines.text.tidy import tidy_row
from scripts.hub.hub import Hub

#: Configs that hold all rows that a release looked at, each once.
CONFIGS = ("default", "candidates", "rejected")


def rows_of(hub: Hub, release: HfUri) -> list[dict[str, Any]]:
    """All raw rows that a release looked at, kept or not."""

    return [to_raw(row) for _, row in _rows_by_reason(hub, release)]


def combine(rows: Iterable[dict[str, Any]], earlier: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """New rows, then the earlier ones that are not among them."""

    new = list(rows)
    known = {tidy_row(row)["id"] for row in new}
    return [*new, *(row for row in earlier if row["id"] not in known)]


def changes_since(hub: Hub, before: tuple[str, HfUri] | None, after: Iterable[Mapping[str, Any]]) -> Changes | None:
    """What became of rows since the release before; None where there is none.

    Args:
        before: its tag, and the repo pinned there.
        after: rows of this release, kept or rejected; the latter have a `reason`.
    """

    if before is None:
        return None
    tag, release = before
    earlier = ((row["id"], place) for place, row in _rows_by_reason(hub, release))
    return compare(_places(earlier), _places((row["id"], row.get("reason") or "default") for row in after), tag)


def _places(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Where each id stands; one that is kept and, as its own duplicate, rejected too, is kept."""
    places: dict[str, str] = {}
    for id_, place in rows:
        if places.get(id_) != "default":
            places[id_] = place
    return places


def _rows_by_reason(hub: Hub, release: HfUri) -> Iterable[tuple[str, dict[str, Any]]]:
    """(`default` or the reason, row) of all rows of a release."""
    names = hub.config_names(release)
    if "default" not in names:
        raise HanjulError("This is no release of a dataset", release.to_uri(), "remove the tag, or lower `version`")
    for config in CONFIGS:
        if config in names:
            for row in hub.rows(release, config):
                # Candidates of earlier releases were outranked, all of them, and do not say so.
                yield "default" if config == "default" else row.get("reason") or "outranked", row
