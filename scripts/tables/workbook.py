"""Excel workbooks: the sheet that has our columns."""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from pipelines.errors import HanjulError
from scripts.tables.table import Names, Table, column_of

#: What other files that are zip archives hold, and what they are.
OTHERS = {
    "content.xml": "an OpenDocument file",
    "Index/Document.iwa": "a Numbers file",
    "word/document.xml": "a Word file",
}
#: What zipfile and openpyxl raise for workbooks that are not as they should be; RuntimeError: in an unknown cipher.
BROKEN = (
    BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RuntimeError,
)


def read_workbook(content: bytes, names: Names, where: str) -> Table:
    """The table of the sheet that has most of our columns, the first of these.

    Raises:
        HanjulError: this is no workbook, or an old one.
    """
    sheets = _sheets(content, where)
    if not sheets:
        raise HanjulError("The Excel workbook has no sheet of cells", where, "give one with a table")
    tables = [_table(sheet, rows, len(sheets), where) for sheet, rows in sheets.items()]
    return max(tables, key=lambda table: len({column_of(name, names) for name in table.header} - {None}))


def _sheets(content: bytes, where: str) -> dict[str, list[tuple[int, list[Any]]]]:
    """Name -> the rows that hold something, with their numbers."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            held = set(archive.namelist())
        if "xl/workbook.xml" not in held:
            kind = next((kind for name, kind in OTHERS.items() if name in held), "a zip archive of something else")
            raise HanjulError(f"This is no table, but {kind}", where, "save the table as .xlsx or CSV")
        with warnings.catch_warnings(action="ignore"):  # of styles and extensions, which hold no cells
            book = load_workbook(BytesIO(content), read_only=True, data_only=True)
            return {sheet.title: _rows(sheet) for sheet in book.worksheets}
    except BROKEN as error:
        what = f"The Excel workbook is broken: {error}"
        raise HanjulError(what, where, "open it in Excel and save it again, or as CSV in UTF-8") from error


def _rows(sheet: Any) -> list[tuple[int, list[Any]]]:
    sheet.reset_dimensions()  # which some programs write down wrongly
    return [
        (number, [unescape(cell) if isinstance(cell, str) else cell for cell in cells])
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1)
        if any(cell is not None and str(cell).strip() for cell in cells)
    ]


def _table(sheet: str, rows: list[tuple[int, list[Any]]], sheets: int, where: str) -> Table:
    header = ["" if name is None else str(name) for name in rows[0][1]] if rows else []
    form = f"Excel workbook, sheet {sheet}" + (f", the others of {sheets} passed over" if sheets > 1 else "")
    # Where a row ends says nothing in a sheet: empty cells at its end are not written down.
    padded = [(number, cells + [None] * (len(header) - len(cells))) for number, cells in rows[1:]]
    return Table(where, form, header, "Row", padded)
