"""What two blind readings say of the graded lines: shares of grades by source, and how far the readings agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_card.comparison.krippendorff import alpha_interval
from model_card.judging.graded import GRADES, USABLE, Grade, GradedLine, Kind, of_part
from model_card.statistics import Interval


@dataclass(frozen=True)
class SourceGrades:
    """The lines of one source.

    Attributes:
        shares: grade -> its share among the grades of both readings, 0..1.
    """

    source: str
    kind: Kind
    lines: int
    shares: dict[Grade, float]

    @property
    def usable(self) -> float:
        """Share of grades that call a line usable."""
        return sum(share for grade, share in self.shares.items() if grade in USABLE)


@dataclass(frozen=True)
class Readings:
    """All graded lines.

    Attributes:
        fit, test: lines of either part.
        products: different ones.
        sources: the most usable first.
        alpha, alpha_models: ordinal alpha of the two readings with its interval over lines, of all lines and of those
            that models wrote; None where all were graded the same.
    """

    fit: int
    test: int
    products: int
    sources: tuple[SourceGrades, ...]
    alpha: Interval | None
    alpha_models: Interval | None

    @property
    def lines(self) -> int:
        """How many there are."""
        return self.fit + self.test


def readings(lines: Sequence[GradedLine], *, bootstrap: int, seed: int) -> Readings:
    """Shares and agreement.

    Args:
        bootstrap, seed: resamples of lines behind the intervals, and their seed.
    """

    def alpha(of: Sequence[GradedLine]) -> Interval | None:
        units = [[GRADES.index(grade) for grade in line.grades] for line in of]
        return alpha_interval(units, range(len(GRADES)), bootstrap=bootstrap, seed=seed)

    by_source: dict[tuple[str, Kind], list[GradedLine]] = {}
    for line in lines:
        by_source.setdefault((line.source, line.kind), []).append(line)
    sources = [_grades_of(*named, found) for named, found in by_source.items()]
    return Readings(
        fit=len(of_part(lines, "fit")),
        test=len(of_part(lines, "test")),
        products=len({line.row["product"] for line in lines}),
        sources=tuple(sorted(sources, key=lambda source: source.usable, reverse=True)),
        alpha=alpha(lines),
        alpha_models=alpha([line for line in lines if line.kind == "model"]),
    )


def _grades_of(source: str, kind: Kind, lines: Sequence[GradedLine]) -> SourceGrades:
    grades = [grade for line in lines for grade in line.grades]
    return SourceGrades(source, kind, len(lines), {grade: grades.count(grade) / len(grades) for grade in GRADES})
