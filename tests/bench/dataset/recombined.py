"""Rows in any number out of some thousands: the opening of one line with the closing of another."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.features import RAW
from pipelines.rows import Row, make_row, normalise

#: Of 100 rows, how many repeat an earlier line, changed a little or not at all.
NEAR, SAME = 5, 2
#: Earlier lines that may be repeated.
REPEATABLE = 50_000
#: Rows written together.
GROUP = 10_000


def recombined(reference: Sequence[Row], seed: int) -> Iterator[Row]:
    """Rows of config `raw` without end; the first N are the same however many are taken.

    The product comes with the opening or with the line that is repeated, the values come from any row. Lines are
    distinct but for exact repeats. Not all near-duplicates are as alike as a filter asks: another letter leaves a line
    of twenty letters a Jaccard index of 0.71 or, at its ends, up to 0.89, and another word less.
    """
    draw = random.Random(seed)
    halves = [(row["product"], *_halves(row["ad_copy"])) for row in reference if " " in row["ad_copy"]]
    words = [word for _, _, closing in halves for word in closing.split()]
    taken: set[int] = set()  # hashes: a million lines take 100 MB more
    originals: list[tuple[str, str]] = []
    while True:
        chance = draw.random() * 100 if originals else 100
        if chance < NEAR + SAME:
            product, line = draw.choice(originals)
            if chance < NEAR:
                line = normalise(_changed(line, words, draw))
        else:
            product, opening, _ = draw.choice(halves)
            line = f"{opening} {draw.choice(halves)[2]}"
        is_new = hash(line) not in taken
        if not is_new and not NEAR <= chance < NEAR + SAME:
            continue
        taken.add(hash(line))
        if chance >= NEAR + SAME:
            _remember(originals, (product, line), draw)
        yield make_row(product, draw.choice(reference)["values"], line, source="imported")


def write(rows: Iterable[Row], count: int, path: Path) -> Path:
    """Write the first rows as one file of config `raw`, a group at a time."""
    wanted = islice(rows, count)
    with pq.ParquetWriter(path, RAW.arrow_schema) as writer:
        while group := list(islice(wanted, GROUP)):
            writer.write_table(pa.Table.from_pylist(group, RAW.arrow_schema))
    return path


def _halves(line: str) -> tuple[str, str]:
    """Split at the first comma, or else at the middle word."""
    opening, comma, closing = line.partition(", ")
    if comma:
        return f"{opening},", closing
    words = line.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def _changed(line: str, words: Sequence[str], draw: random.Random) -> str:
    """The line with another punctuation mark at its end, another character or another word."""
    how = draw.choice(("mark", "character", "word"))
    if how == "mark":
        return line.rstrip(".!?~ ") + draw.choice((".", "!", "?", "~", ""))
    if how == "character":
        place = draw.randrange(len(line))
        return line[:place] + draw.choice(draw.choice(words)) + line[place + 1 :]
    parts = line.split()
    parts[draw.randrange(len(parts))] = draw.choice(words)
    return " ".join(parts)


def _remember(originals: list[tuple[str, str]], original: tuple[str, str], draw: random.Random) -> None:
    """Keep it, in place of any other where there are enough."""
    if len(originals) < REPEATABLE:
        originals.append(original)
    else:
        originals[draw.randrange(REPEATABLE)] = original
