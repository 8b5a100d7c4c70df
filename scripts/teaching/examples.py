"""Finds the examples that a teacher is shown: in a file, a dataset, or real slogans and the people's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from pipelines.rows import Row, split_of
from pipelines.slogans import SLOGANS
from pipelines.synthesis.examples import exemplary_slogans, is_exemplary
from pipelines.synthesis.prompts import usable_examples
from scripts.core.files import digest
from scripts.hub.hub import Hub
from scripts.tables.hub_tables import HubSource
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import Source, identify, read
from scripts.tables.table import COLUMNS, Names, Record

#: Where a dataset says who wrote a row.
SOURCE: Names = {"source": ("source",)}


@dataclass(frozen=True)
class Examples:
    """The source of examples for a teacher that is not tuned.

    Attributes:
        source: a file or a pinned dataset; None for the slogans that ship with Hanjul and the rows that people wrote.
        identity: pins it.
    """

    source: Source | None
    identity: str

    @classmethod
    def find(cls, hub: Hub, source: str | None) -> Examples:
        """Those that `--examples` names, or ours.

        Raises:
            HanjulError: it cannot be read.
        """
        if source is None:
            return cls(None, digest(SLOGANS))
        return cls(*identify(hub, source))

    def pools(self, hub: Hub, people: Sequence[Any]) -> tuple[tuple[Row, ...], ...]:
        """Rows to draw from, in turn. Ours keep the rules that the teacher is told; a user's own are taken as they are.

        Args:
            people: rows of the dataset that people wrote.

        Raises:
            HanjulError: the file or dataset is no table, lacks a column, or holds no row that can be an example.
        """
        if self.source is None:
            return exemplary_slogans(), tuple(row for row in usable_examples(people) if is_exemplary(row))
        records = read(hub, self.source, COLUMNS, OPTIONAL | SOURCE)
        rows = to_rows(records, "imported")
        if isinstance(self.source, HubSource):
            rows = [row for record, row in zip(records, rows, strict=True) if _may_be_shown(record, row)]
        return (_examples(rows, str(self.source)),)


def rows_of_people(hub: Hub, dataset: HfUri) -> list[Any]:
    """The rows of a pinned dataset's config `raw` that no teacher wrote; none where it has no such config yet."""
    if "raw" not in hub.config_names(dataset):
        return []
    return [row for row in hub.rows(dataset, "raw") if row["source"] != "synthesised"]


def _may_be_shown(record: Record, row: Row) -> bool:
    """Where a dataset says who wrote a row: not a teacher, and not of a product that is held out."""
    source = record.text("source")
    return not source or (source != "synthesised" and split_of(row["product"]) == "train")


def _examples(rows: Sequence[Row], where: str) -> tuple[Row, ...]:
    """The rows, each once.

    Raises:
        HanjulError: there is none, or one is not whole.
    """
    for row in rows:
        empty = [name for name, text in row.items() if name in ("product", "values", "ad_copy") and not text]
        if empty:
            name = row["ad_copy"] or row["product"]
            raise HanjulError(f"An example has no {', '.join(empty)}: {name}", where, "fill it in or leave it out")
    if not rows:
        next_step = "name a file or a dataset with rows that people wrote, of products of the train split"
        raise HanjulError("No row can be an example", where, next_step)
    return tuple({row["id"]: row for row in rows}.values())
