"""The rows that benches work on: the reference project's, or for a smoke run those of the written corpus."""

from __future__ import annotations

import json

from pipelines.rows import Row
from scripts.tables.rows import OPTIONAL, to_rows
from scripts.tables.sources import corpus_table
from scripts.tables.table import COLUMNS, table_of_objects
from tests.bench.processes import ROOT
from tests.bench.report import skip

REFERENCE = ROOT.parent / "shared" / "data" / "reference_copy.json"


def require_reference() -> None:
    """End the bench where the reference rows, which are not part of the project, are not there."""
    if not REFERENCE.is_file():
        skip(f"The reference rows are not on this machine: there is no ../shared/data/{REFERENCE.name}.")


def rows_for(smoke: bool) -> list[Row]:
    """Rows as `hanjul import` reads them."""
    if smoke:
        return to_rows(corpus_table().records(COLUMNS, OPTIONAL), "written")
    require_reference()
    records = enumerate(json.loads(REFERENCE.read_text(encoding="utf-8")), 1)
    table = table_of_objects(records, REFERENCE.name, "JSON", "Row")
    return to_rows(table.records(COLUMNS, OPTIONAL), "imported")
