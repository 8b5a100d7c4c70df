"""Near-duplicates in meaning: lines whose sentence vectors, of an encoder that the recipe names, point the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError

from pipelines.errors import HanjulError
from pipelines.filters.selection import SimilarPair
from pipelines.progress import Progress
from scripts.core.faults import hub_fault, raised_by
from scripts.core.settings import SemanticSettings

#: Lines that are compared with all others at a time.
CHUNK = 1000
#: By which the cosine of equal vectors may miss 1 in float32.
ROUNDING = 1e-6


def similar_pairs(rows: Sequence[Mapping[str, Any]], settings: SemanticSettings) -> list[SimilarPair]:
    """Find all pairs of rows whose cosine is `max_cosine` or more: (place, later place, cosine).

    Raises:
        HanjulError: sentence-transformers is not installed, or the encoder cannot be loaded.
    """
    if len(rows) < 2:
        return []
    vectors = _vectors([row["ad_copy"] for row in rows], settings)
    found: list[SimilarPair] = []
    for start in range(0, len(rows), CHUNK):
        cosines = vectors[start : start + CHUNK] @ vectors[start:].T
        left, right = np.nonzero(np.triu(cosines >= settings.max_cosine - ROUNDING, 1))
        places = zip(left.tolist(), right.tolist(), cosines[left, right].tolist(), strict=True)
        found += [(start + one, start + other, cosine) for one, other, cosine in places]
    return found


def _vectors(lines: Sequence[str], settings: SemanticSettings) -> Any:
    """Unit vectors of lines, float32, one a row."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise HanjulError(
            "filter.semantic needs sentence-transformers, which is not installed",
            settings.model,
            "install it with `pip install 'hanjul[semantic]'`, or set filter.semantic to null",
        ) from None
    try:
        encoder = SentenceTransformer(settings.model, revision=settings.revision)
    except (OSError, ValueError, SafetensorError) as error:
        if fault := hub_fault(error, absent=False):
            raise fault from error
        if not raised_by(error, "huggingface_hub", "transformers", "sentence_transformers", "safetensors"):
            raise
        raise HanjulError(
            f"The sentence encoder cannot be loaded: {error}", settings.model, "check filter.semantic.model"
        ) from error
    vectors = []
    with Progress("encoding lines", len(lines), unit="lines") as progress:
        for start in range(0, len(lines), CHUNK):
            chunk = list(lines[start : start + CHUNK])
            vectors.append(encoder.encode(chunk, normalize_embeddings=True, show_progress_bar=False))
            progress.advance(len(chunk))
    return np.concatenate(vectors)
