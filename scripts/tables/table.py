"""A table as it was found, and which of its columns is which of ours, whatever they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.errors import HanjulError
from pipelines.rows import normalise
from pipelines.text.counted import first_of
from scripts.tables.cells import INVISIBLE, Parts, clean_parts, text, values

#: Our column -> the names it goes by.
Names = dict[str, tuple[str, ...]]

#: The columns that a row must have. The Korean names are the reference project's.
COLUMNS: Names = {
    "product": ("product", "상품", "제품"),
    "values": ("values", "value", "담고자 하는 가치", "가치"),
    "ad_copy": ("ad_copy", "copy", "line", "카피라이팅", "카피"),
}
#: Those that there may be several of, with a number behind the name: 가치1, 가치2.
NUMBERED = ("values",)
#: Columns that an error or a line of the log names at most.
NAMED = 12


@dataclass(frozen=True)
class Table:
    """Rows with the names of their columns, before anybody has said what they mean.

    Attributes:
        where: the file or URI.
        form: what it was read as, for people: `CSV in CP949, parted by tabs`.
        header: the names of the columns, as they stand there; some may be the same.
        unit: what the numbers count: `Line`, `Row`.
        rows: number and cells of each row, which may end before the header does, or behind it.
    """

    where: str
    form: str
    header: Sequence[str]
    unit: str
    rows: Sequence[tuple[int, Sequence[Any]]]

    def records(self, required: Names, optional: Names) -> list[Record]:
        """The rows as records of our columns.

        Raises:
            HanjulError: a required column is not there, a row ends before it, or has cells behind the last column.
        """
        places = places_of(self.header, required | optional)
        missing = [f"{column} ({' / '.join(names)})" for column, names in required.items() if not places[column]]
        if missing:
            raise HanjulError(
                f"There is no column {', '.join(missing)} in what was read as {self.form}",
                self.where,
                f"rename the columns; found: {listed(self.header) or 'nothing'}",
            )
        needed = [min(places[column]) for column in required]
        return [self._record(number, cells, places, needed) for number, cells in self.rows]

    def _record(self, number: int, cells: Sequence[Any], places: Mapping[str, list[int]], needed: list[int]) -> Record:
        width = len(self.header)
        surplus = any(cell is not None and str(cell).strip() for cell in cells[width:])
        if surplus or any(place >= len(cells) for place in needed):
            raise HanjulError(
                f"{self.unit} {number} has {len(cells)} cells, and the first line {width}",
                self.where,
                "name each column there; in CSV, put cells with commas, quotes or line breaks in double quotes",
            )
        # Excel leaves out the separators of empty cells at the end of a line.
        found = {column: [cells[at] for at in those if at < len(cells)] for column, those in places.items()}
        return Record(self, number, found)


class Record(NamedTuple):
    """A row of a table.

    Attributes:
        number: of the row in its table, in units of the table.
        cells: our column -> what its columns hold, in their order; none for an optional one that is not there.
    """

    table: Table
    number: int
    cells: Mapping[str, Sequence[Any]]

    def texts(self, column: str) -> list[str]:
        """The texts of all columns that are this one, each once, without empty ones.

        Raises:
            HanjulError: one is no text.
        """
        with self.faults():
            return list(dict.fromkeys(filter(None, map(text, self.cells[column]))))

    def text(self, column: str) -> str:
        """The text of a column, "" where there is none.

        Raises:
            HanjulError: it is no text, or two columns that are this one say different things.
        """
        said = self.texts(column)
        if len(set(map(normalise, said))) > 1:
            with self.faults():
                what = f"{len(said)} columns that are all {column} say different things: {listed(said)}"
                raise HanjulError(what, next_step="keep one of the columns")
        return said[0] if said else ""

    def values(self, column: str, parts: Parts = clean_parts) -> list[str]:
        """The values of a column and of its kin, 가치1 and 가치2, each once.

        Args:
            parts: of a text that is no list.

        Raises:
            HanjulError: they cannot be read.
        """
        with self.faults():
            return list(dict.fromkeys(value for cell in self.cells[column] for value in values(cell, parts)))

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Add the number of the row and its file to an error that knows of one cell only."""
        try:
            yield
        except HanjulError as error:
            raise HanjulError(
                f"{self.table.unit} {self.number}: {error.what}",
                self.table.where,
                error.next_step or "mend the row, or leave it out",
            ) from error


def column_of(name: str, names: Names) -> str | None:
    """Which of our columns this one is, however it is composed, spaced and capitalised."""
    return next((column for column, aliases in names.items() if _is_called(name, column, aliases)), None)


def places_of(header: Sequence[str], names: Names) -> dict[str, list[int]]:
    """Our column -> where it stands. By our own name it is that one alone: `line` may be a number."""
    places: dict[str, list[int]] = {column: [] for column in names}
    for place, name in enumerate(header):
        if column := column_of(name, names):
            places[column].append(place)
    own = {column: [at for at in found if _is_called(header[at], column, [column])] for column, found in places.items()}
    return {column: own[column] or found for column, found in places.items()}


def passed_over(header: Sequence[str], names: Names) -> list[str]:
    """The columns that are not read as one of ours."""
    read = {place for found in places_of(header, names).values() for place in found}
    return [name for place, name in enumerate(header) if place not in read]


def listed(names: Iterable[str]) -> str:
    """Names for a sentence, not more than fit into one."""
    return first_of([normalise(name) or "(without a name)" for name in names], NAMED)


def table_of_objects(records: Iterable[tuple[int, Mapping[str, Any]]], where: str, form: str, unit: str) -> Table:
    """A table of objects with their numbers; one that lacks a key has None there."""
    records = list(records)
    header = list(dict.fromkeys(key for _, record in records for key in record))
    rows = [(number, [record.get(key) for key in header]) for number, record in records]
    return Table(where, form, header, unit, rows)


def _is_called(name: str, column: str, aliases: Iterable[str]) -> bool:
    """Whether a column goes by one of these names, or by one with a number behind it."""
    said, known = _key(name), set(map(_key, aliases))
    return said in known or (column in NUMBERED and re.sub(r"\d+$", "", said) in known)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", normalise(INVISIBLE.sub("", name)).casefold())
