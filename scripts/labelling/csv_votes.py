"""Read votes that were collected elsewhere from a table, as spreadsheets write it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

from model_card.comparison.agreement import OVERALL, QUESTIONS, Choice, Vote
from pipelines.errors import HanjulError
from scripts.labelling.items import WrittenLine, make_item
from scripts.labelling.labelling_session import as_columns, pseudonym, timestamp
from scripts.tables.files import read_file
from scripts.tables.sources import records_of
from scripts.tables.table import Names

REQUIRED: Names = {name: (name,) for name in ("product", "values", "line_a", "line_b", "choice", "voter")}
OPTIONAL: Names = {name: (name,) for name in ("question", "system_a", "system_b")}
#: What parts values here. Another sign is part of a value, or a file would give other items than it once did.
PARTED = re.compile(r"\||,\s")
#: What the cell `choice` may hold -> line_a, line_b of the file, or neither.
CHOICES: dict[str, Choice] = {
    **dict.fromkeys(("a", "1", "왼쪽"), "a"),
    **dict.fromkeys(("b", "2", "오른쪽"), "b"),
    **dict.fromkeys(("tie", "0", "무승부", "비김"), "tie"),
}


def votes_from_csv(path: Path) -> list[Vote]:
    """The votes of a file, in its order.

    Columns: product, values (parted by `|` or a comma and a space, or a list), line_a, line_b, choice (`CHOICES`),
    voter; where they are there question (`overall` by default), system_a, system_b. Others are passed over. Any table
    that `hanjul import` reads, whatever the name of its file.

    A vote is as old as the file, so that importing it twice changes nothing.

    Raises:
        HanjulError: unreadable, no table, or a cell that cannot be: with the line, what was found and what is expected.
    """
    table = read_file(path, REQUIRED | OPTIONAL, str(path))
    voted_at = timestamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    votes = []
    for record in records_of([table], REQUIRED, OPTIONAL):
        cells = {name: record.text(name) for name in (*REQUIRED, *OPTIONAL) if name != "values"}
        values = tuple(record.values("values", PARTED.split))
        with record.faults():
            votes.append(_vote(cells, values, voted_at))
    return votes


def _vote(cells: dict[str, str], values: tuple[str, ...], voted_at: str) -> Vote:
    """A vote from cells; HanjulError says what is wrong with them."""
    first = WrittenLine(cells["product"], values, cells["line_a"], cells["system_a"].strip())
    second = WrittenLine(cells["product"], values, cells["line_b"], cells["system_b"].strip())
    item = make_item(first, second)
    choice = unicodedata.normalize("NFC", cells["choice"]).strip().lower()
    if choice not in CHOICES:
        raise HanjulError(f"choice is {cells['choice']!r}, expected one of {', '.join(CHOICES)}")
    question = cells["question"].strip().lower() or OVERALL
    if question not in QUESTIONS:
        raise HanjulError(f"question is {cells['question']!r}, expected one of {', '.join(QUESTIONS)}")
    voter = pseudonym(cells["voter"])
    if not voter:
        raise HanjulError(f"voter is {cells['voter']!r}, expected a pseudonym of 1 to 40 characters, no e-mail address")
    chosen = {"a": first.line, "b": second.line}.get(CHOICES[choice])
    return Vote(
        **as_columns(item),
        question=question,
        choice="tie" if chosen is None else item.side(chosen),
        voter=voter,
        shown_first=item.side(first.line),
        seconds=None,
        voted_at=voted_at,
    )
