"""Read votes that were collected elsewhere from a CSV file, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from model_card.comparison.agreement import OVERALL, QUESTIONS, Choice, Vote
from pipelines.errors import HanjulError
from scripts.labelling.items import WrittenLine, make_item
from scripts.labelling.labelling_session import as_columns, pseudonym, timestamp

REQUIRED = ("product", "values", "line_a", "line_b", "choice", "voter")
OPTIONAL = ("question", "system_a", "system_b")
#: What the cell `choice` may hold -> line_a, line_b of the file, or neither.
CHOICES: dict[str, Choice] = {
    **dict.fromkeys(("a", "1", "왼쪽"), "a"),
    **dict.fromkeys(("b", "2", "오른쪽"), "b"),
    **dict.fromkeys(("tie", "0", "무승부", "비김"), "tie"),
}
#: Excel in Korea writes CP949 unless told otherwise.
ENCODINGS = ("utf-8-sig", "cp949")


def votes_from_csv(path: Path) -> list[Vote]:
    """The votes of a file, in its order.

    Columns: product, values (parted by `|` or a comma and a space), line_a, line_b, choice (`CHOICES`), voter; where
    they are there question (`overall` by default), system_a, system_b. Others are passed over. UTF-8 or CP949.

    A vote is as old as the file, so that importing it twice changes nothing.

    Raises:
        HanjulError: unreadable, no table, or a cell that cannot be: with the line, what was found and what is expected.
    """
    try:
        content, changed = path.read_bytes(), path.stat().st_mtime
    except OSError as error:
        raise HanjulError("The votes cannot be read", str(path), f"check path and permissions: {error}") from error
    voted_at = timestamp(datetime.fromtimestamp(changed, UTC))
    votes = []
    for line, record in _records(_decoded(content, path), path):
        try:
            votes.append(_vote(record, voted_at))
        except HanjulError as error:
            raise HanjulError(f"Line {line}: {error.what}", str(path), "mend the line and import again") from error
    if not votes:
        raise HanjulError("There are no votes in the file", str(path), "give it a line for each vote")
    return votes


def _decoded(content: bytes, path: Path) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise HanjulError("The file is neither UTF-8 nor CP949", str(path), "save it as CSV in UTF-8")


def _records(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line in the file and cells by column, of every line that is not empty."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name or "" for name in reader.fieldnames or []]
        reader.fieldnames = [name.strip().lower() for name in names]
        missing = [name for name in REQUIRED if name not in reader.fieldnames]
        if missing:
            raise HanjulError(
                f"Line 1 has no column {', '.join(missing)}",
                str(path),
                f"expected: {', '.join(REQUIRED)}; found: {', '.join(names) or 'nothing'}",
            )
        for record in reader:
            cells = {name: record.get(name) or "" for name in (*REQUIRED, *OPTIONAL)}
            if any(cell.strip() for cell in cells.values()):
                yield reader.line_num, cells
    except csv.Error as error:
        raise HanjulError(
            f"After line {reader.line_num}: not CSV: {error}",
            str(path),
            "put cells with commas or quotes in double quotes",
        ) from error


def _vote(record: dict[str, str], voted_at: str) -> Vote:
    """A vote from cells; HanjulError says what is wrong with them."""
    values = tuple(re.split(r"\||,\s", record["values"]))
    first = WrittenLine(record["product"], values, record["line_a"], record["system_a"].strip())
    second = WrittenLine(record["product"], values, record["line_b"], record["system_b"].strip())
    item = make_item(first, second)
    choice = unicodedata.normalize("NFC", record["choice"]).strip().lower()
    if choice not in CHOICES:
        raise HanjulError(f"choice is {record['choice']!r}, expected one of {', '.join(CHOICES)}")
    question = record["question"].strip().lower() or OVERALL
    if question not in QUESTIONS:
        raise HanjulError(f"question is {record['question']!r}, expected one of {', '.join(QUESTIONS)}")
    voter = pseudonym(record["voter"])
    if not voter:
        raise HanjulError(
            f"voter is {record['voter']!r}, expected a pseudonym of 1 to 40 characters, no e-mail address"
        )
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
