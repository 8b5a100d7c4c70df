"""How varied lines are. These numbers depend on how many lines there are: compare samples of equal size only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from sacrebleu.metrics.bleu import BLEU

from pipelines.text import morphemes
from pipelines.text.jaccard_join import similar_pairs
from pipelines.text.ngrams import letters

#: Lines of a sample at most: for everything but near-duplicates and Self-BLEU, for near-duplicates, and for Self-BLEU,
#: which compares each line with each. What is there is used where it is less.
SAMPLE, NEAR_SAMPLE, BLEU_SAMPLE = 2_000, 10_000, 300
SIZES = (1, 2, 3)

Words = Sequence[Sequence[str]]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Diversity:
    """What `measure` found; zeros where there were no lines.

    Attributes:
        lines, near_lines, bleu_lines: lines of the samples.
        distinct: distinct n-grams of morphemes over all of them for n = 1, 2, 3, 0..1 (Li et al. 2016, "A
            Diversity-Promoting Objective Function for Neural Conversation Models").
        entropy: Shannon entropy of those n-grams in bits, for n = 1, 2, 3 (Zhang et al. 2018, "Generating Informative
            and Diverse Conversational Responses via Adversarial Information Maximization").
        self_bleu: mean of the sentence BLEU-4 of each line against all others, 0..100, lower is more varied (Zhu et al.
            2018, "Texygen"). Over characters, sacrebleu's `char`: a Korean word changes its form with its endings,
            and no morphological analyser is needed to get the same number again.
        bleu_signature: sacrebleu's own account of how it counted; empty where fewer than two lines were there.
        vendi: Vendi score, 1..lines: the effective number of different lines (Friedman & Dieng 2023, "The Vendi Score:
            A Diversity Evaluation Metric for Machine Learning"), with the authors' kernel for texts, the mean of the
            cosine similarities of 1-gram and 2-gram counts, here of morphemes.
        near_duplicates: share of lines that are near-duplicates of one before them, in the order of the sample, 0..1.
            Of two that are alike one counts, as one would have to go. Alike are equal letters, spaces and punctuation
            aside, or 3-grams of them with the Jaccard index that the filter `near_duplicate` rejects.
    """

    lines: int
    near_lines: int
    bleu_lines: int
    distinct: tuple[float, ...]
    entropy: tuple[float, ...]
    self_bleu: float
    bleu_signature: str
    vendi: float
    near_duplicates: float


def measure(lines: Sequence[str], max_similarity: float) -> Diversity:
    """The diversity of lines in random order: each number is of as many of the first as it can bear.

    Args:
        max_similarity: Jaccard index from which two lines are near-duplicates.
    """
    near = lines[:NEAR_SAMPLE]
    words = [[form for form, _, _ in morphemes.tokens(line)] for line in lines[:SAMPLE]]
    counts = [Counter(gram for line in words for gram in ngrams(line, size)) for size in SIZES]
    bleu, signature = self_bleu(lines[:BLEU_SAMPLE])
    return Diversity(
        lines=len(words),
        near_lines=len(near),
        bleu_lines=len(lines[:BLEU_SAMPLE]),
        distinct=tuple(len(found) / total if (total := found.total()) else 0.0 for found in counts),
        entropy=tuple(entropy(found) for found in counts),
        self_bleu=bleu,
        bleu_signature=signature,
        vendi=vendi(words),
        near_duplicates=near_duplicates(near, max_similarity),
    )


def ngrams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """All runs of so many words."""
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def entropy(counts: Mapping[Any, int]) -> float:
    """Shannon entropy of counts, in bits."""
    total = sum(counts.values())
    return sum(count / total * log2(total / count) for count in counts.values())


def self_bleu(lines: Sequence[str]) -> tuple[float, str]:
    """(Self-BLEU, sacrebleu's signature); 0.0 and empty for fewer than two lines."""
    if len(lines) < 2:
        return 0.0, ""
    bleu = BLEU(tokenize="char", effective_order=True)  # lines may have fewer than four characters
    scores = [
        bleu.sentence_score(line, [*lines[:place], *lines[place + 1 :]]).score for place, line in enumerate(lines)
    ]
    return sum(scores) / len(scores), str(bleu.get_signature())


def vendi(lines: Words) -> float:
    """The Vendi score: e to the Shannon entropy of the eigenvalues of the kernel over the number of lines."""
    if not lines:
        return 0.0
    kernel = (_cosines(lines, 1) + _cosines(lines, 2)) / 2
    eigenvalues = np.linalg.eigvalsh(kernel / len(lines))
    shares = eigenvalues[eigenvalues > 1e-12]  # rounding leaves some a hair under zero
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _cosines(lines: Words, size: int) -> Matrix:
    """Cosine similarity of the n-gram counts of each two lines; a line is like itself even if it has no n-gram."""
    holders: dict[tuple[str, ...], list[tuple[int, float]]] = defaultdict(list)
    for place, words in enumerate(lines):
        counts = Counter(ngrams(words, size))
        norm = sqrt(sum(count**2 for count in counts.values()))
        for gram, count in counts.items():
            holders[gram].append((place, count / norm))
    kernel = np.zeros((len(lines), len(lines)))
    for held in holders.values():
        if len(held) > 1:
            places, weights = np.array([place for place, _ in held]), np.array([weight for _, weight in held])
            kernel[np.ix_(places, places)] += np.outer(weights, weights)
    np.fill_diagonal(kernel, 1.0)
    return kernel


def near_duplicates(lines: Sequence[str], max_similarity: float) -> float:
    """The share of lines that are near-duplicates of one before them."""
    different = list({letters(line): line for line in reversed(lines)}.values())[::-1]
    _, later, _ = similar_pairs(different, max_similarity)
    return 1 - (len(different) - len(np.unique(later))) / len(lines) if lines else 0.0
