"""CSV as people have it: commas, semicolons or tabs, cells that are words and stay words."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from pipelines.errors import HanjulError
from scripts.tables.table import Names, Table, column_of

#: Of a cell, in characters: the most that `csv` can count everywhere. The file is in memory by then.
LONGEST = 2**31 - 1
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
#: The first line by which Excel tells the separator.
TOLD = re.compile(r"\s*\"?sep=(.)\"?[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)


def read_delimited(text: str, encoding: str, names: Names, where: str) -> Table:
    """The table of a text, parted by the sign that finds most of our columns in its first line, or that it names.

    Lines without any word are skipped. A row may be shorter or longer than the first.

    Raises:
        HanjulError: quotes that do not end.
    """
    csv.field_size_limit(LONGEST)
    told = TOLD.match(text)
    skipped = told[0] if told else ""
    body = text[len(skipped) :]
    separator = told[1] if told else max(SEPARATORS, key=lambda sign: _fit(body, sign, names))
    form = f"CSV in {encoding}, parted by {SEPARATORS.get(separator, separator)}"
    records = _records(body, separator, where, first=2 if told else 1)
    _, header = next(records, (0, []))
    return Table(where, form, header, "Line", list(records))


def _fit(text: str, separator: str, names: Names) -> tuple[int, int]:
    """How many of our columns a separator finds, and how many cells."""
    try:
        _, header = next(_records(text, separator, "", first=1), (0, []))
    except HanjulError:
        return 0, 0
    return len({column_of(name, names) for name in header} - {None}), len(header)


def _records(text: str, separator: str, where: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """The lines in which records begin, and the records that hold a word."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begun = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begun + first, cells
            begun = reader.line_num
    except csv.Error as error:
        raise HanjulError(
            f"After line {begun + first - 1}: not CSV: {error}",
            where,
            "put cells with commas or quotes in double quotes",
        ) from error
