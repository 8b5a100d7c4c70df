"""Records of tables as rows of config `raw`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from pipelines.errors import HanjulError
from pipelines.rows import Merit, Row, make_row
from pipelines.text.tidy import tidy
from scripts.tables.table import Names, Record

#: Columns that a row may have beside those that it must have.
OPTIONAL: Names = {name: (name,) for name in ("category", "device", "tone", "merit")}
MERITS = get_args(Merit)


def to_rows(records: Iterable[Record], source: str) -> list[Row]:
    """`raw` rows from records of `COLUMNS` and `OPTIONAL`; one that lacks a part is for the filters to reject.

    Args:
        source: whose the rows are, `imported` or `written`.

    Raises:
        HanjulError: a cell is not what its column holds, or of no merit that there is; the message names the row.
    """
    return [_row(record, source) for record in records]


def _row(record: Record, source: str) -> Row:
    optional = {name: record.text(name).strip() for name in OPTIONAL}
    if optional["merit"] not in MERITS:
        with record.faults():
            known = ", ".join(filter(None, MERITS))
            raise HanjulError(f"the merit is {optional['merit']}", next_step=f"give one of {known}, or none")
    product, ad_copy = record.text("product"), tidy(record.text("ad_copy"))
    return make_row(product, record.values("values"), ad_copy, source=source, **optional)
