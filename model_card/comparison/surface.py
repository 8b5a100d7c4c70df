"""What generated lines are like without a judge: leaks, breakage, copies of the training rows, variety."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.filters.limits import FilterLimits
from pipelines.text.jaccard_join import similar_pairs

#: Jaccard index of character 3-grams from which a line nearly repeats a training row, as for the filters'
#: near-duplicates.
COPY = FilterLimits().max_similarity


@dataclass(frozen=True)
class Answer:
    """One line that a system gave for a pair."""

    product: str
    values: tuple[str, ...]
    line: str


def leaks(product: str, values: Sequence[str], line: str) -> bool:
    """Whether the product or a value stands verbatim in the line, spaces aside."""
    flat = "".join(line.split())
    return any("".join(word.split()) in flat for word in (product, *values))


def is_broken(line: str) -> bool:
    """Empty, more than one line, without a Hangul syllable, or with one of the prompt's labels."""
    return "\n" in line.strip() or not re.search("[가-힣]", line) or bool(re.search("(상품|가치|카피) ?:", line))


def distinct(lines: Sequence[str], n: int) -> float:
    """Distinct character n-grams / all of them, after Li et al. 2016, arXiv:1510.03055; 0 without any."""
    grams = [line[start : start + n] for line in lines for start in range(len(line) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def copies(lines: Sequence[str], training_lines: Sequence[str]) -> dict[str, str]:
    """Line -> the most similar training line, for those that nearly repeat one (`COPY`)."""
    written, trained = list(dict.fromkeys(lines)), list(dict.fromkeys(training_lines))
    apart = [True] * len(written) + [False] * len(trained)
    likest: dict[str, tuple[float, str]] = {}
    for left, right, similarity in zip(*similar_pairs(written + trained, COPY, apart), strict=True):
        line, likeness = written[left], (float(similarity), trained[right - len(written)])
        likest[line] = max(likest.get(line, (0.0, "")), likeness)
    return {line: copied for line, (_, copied) in likest.items()}
