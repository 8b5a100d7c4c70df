"""Lines that models and people wrote, graded A–D by two blind readings: the ground that judges stand on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pipelines.rows import Scorable, normalise

#: Who read, in Korean and English: said wherever a grade, or what follows from it, is shown.
READERS = (
    "LLM이 루브릭에 따라 두 번 읽고 매겼으며, 누가 쓴 카피인지도 다른 한 번의 등급도 보여 주지 않았습니다",
    "an LLM by a rubric, twice, blind to source and to each other",
)

#: A: a client would buy it. B: usable. C: weak. D: wrong, or it means nothing.
Grade = Literal["A", "B", "C", "D"]
#: `written` lines are good on purpose, `flat` ones correct and dull on purpose, `model` lines as a model wrote them.
Kind = Literal["written", "flat", "model"]
Part = Literal["fit", "test"]

GRADES: tuple[Grade, ...] = ("A", "B", "C", "D")
#: Grades of a line that may be published.
USABLE = frozenset({"A", "B"})
#: Share of products in the part `fit`, in percent.
FIT_PERCENT = 60

#: The lines themselves, one JSON object each.
GRADED = Path(__file__).parent / "graded.jsonl"


@dataclass(frozen=True)
class GradedLine:
    """One line.

    Attributes:
        row: product, values and ad_copy.
        source: name of the system that wrote it; that of the kind where a person or an LLM wrote for the corpus.
        grades: of the first and the second reading.
    """

    row: Scorable
    source: str
    kind: Kind
    grades: tuple[Grade, Grade]


@cache
def graded_lines() -> tuple[GradedLine, ...]:
    """All lines of `graded.jsonl`, in its order."""
    return tuple(_line(text) for text in GRADED.read_text(encoding="utf-8").splitlines())


def part_of(product: str) -> Part:
    """Whether lines for a product may fit a judge or test it.

    By a hash of the product, so that no product stands in both; it says nothing of the split of `pipelines.rows`.
    """
    bucket = int(hashlib.sha256(f"graded {normalise(product)}".encode()).hexdigest()[:8], 16) % 100
    return "fit" if bucket < FIT_PERCENT else "test"


def of_part(lines: Iterable[GradedLine], part: Part) -> list[GradedLine]:
    """The lines of one part, in order."""
    return [line for line in lines if part_of(line.row["product"]) == part]


def is_usable(line: GradedLine) -> bool:
    """Whether both readings call the line usable; where they disagree it is neither usable nor unusable."""
    return all(grade in USABLE for grade in line.grades)


def is_unusable(line: GradedLine) -> bool:
    """Whether neither reading calls the line usable."""
    return not any(grade in USABLE for grade in line.grades)


def _line(text: str) -> GradedLine:
    found = json.loads(text)
    first, second = found["grades"]
    row: Scorable = {"product": found["product"], "values": found["values"], "ad_copy": found["ad_copy"]}
    return GradedLine(row, found["source"], found["kind"], (first, second))
