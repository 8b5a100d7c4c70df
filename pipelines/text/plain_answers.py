"""The lines of copy in an answer in plain text, however a model set it: a list, a table, talk before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pipelines.text.frames import BULLET, HANGUL, NAMED, NUMBER, copy_in, is_frame
from pipelines.text.remarks import is_goodbye

FENCE = re.compile(r"^\s*(?:```|~~~)")
#: The line under the head of a table in Markdown.
RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
#: A last line with an empty one above.
SET_APART = re.compile(r"\n[ \t]*\n[^\n]*\Z")
#: Where a line that begins a list goes on with its next item.
RUN_ON = re.compile(r"(?<=\S)\s+(?=[2-9][.)]\s)")


@dataclass(frozen=True)
class _Item:
    """A line of an answer.

    Attributes:
        text: without what surrounds it; empty where it holds no copy.
        indent: characters before it.
        numbered, bulleted: how it is marked.
    """

    text: str
    indent: int
    numbered: bool
    bulleted: bool


def lines_in(answer: str) -> list[str]:
    """The lines, bare, in order. Where some are numbered, what stands between them is said of them.

    A last line that might be a closing remark is taken for one where it is set apart from the others.
    """
    items = [_item(line) for line in _untabled(answer.splitlines()) if line.strip() and not FENCE.match(line)]
    numbered = [item for item in items if item.numbered]
    if len(numbered) > 1 and all(item.text for item in numbered):
        items = numbered
    found = [item.text for item in _outermost(items) if item.text]
    last = items[-1] if len(found) > 1 else None
    if last and last.text and not last.bulleted and is_goodbye(last.text):
        apart = SET_APART.search(answer.rstrip()) or any(item.bulleted for item in items)
        del found[len(found) - bool(apart) :]
    return found


def one_copy(text: str) -> str:
    """The copy of a text that should hold one line and nothing else; empty where it holds none.

    Several lines stay as they are, for the filter `format` to see.
    """
    lines = [line for line in text.split("\n") if not is_frame(line)] if "\n" in text else [text]
    return copy_in(lines[0]) if len(lines) == 1 else text if lines else ""


def _item(line: str) -> _Item:
    marked = line.replace("**", "").replace("#", "").strip()
    numbered, bulleted = bool(NUMBER.match(marked)), bool(BULLET.match(line.strip()))
    return _Item(copy_in(line), len(line) - len(line.lstrip()), numbered, bulleted or numbered)


def _outermost(items: Sequence[_Item]) -> Iterator[_Item]:
    """All but bullets that are set under a line: they speak of it. The first line of an answer has lost its indent."""
    outer = min((item.indent for item in items[1:] if item.bulleted), default=0)
    above: _Item | None = None  # the last one that is no such bullet
    for item in items:
        if above and above.text and item.bulleted and item.indent > outer + 1:
            continue
        above = item
        yield item


def _untabled(lines: Sequence[str]) -> Iterator[str]:
    """The lines, each item of a list apart; of each row of a table the cell with the copy."""
    column: int | None = None
    in_table = False
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        heads = "|" in line and "|" in below and bool(RULE.match(below))
        in_table = heads or ("|" in line and (in_table or line.lstrip().startswith("|")))
        if heads:
            column = next((at for at, cell in enumerate(cells) if NAMED.fullmatch(cell)), None)
        elif not in_table:
            column = None
            yield from RUN_ON.split(line) if line.lstrip().startswith(("1.", "1)")) else [line]
        elif not RULE.match(line):
            yield cells[column] if column is not None and column < len(cells) else _copy_of(cells)


def _copy_of(cells: Sequence[str]) -> str:
    """The cell of a row that holds the copy: the first in Hangul that is not a name."""
    return next((cell for cell in cells if HANGUL.search(cell) and not is_frame(cell)), "")
