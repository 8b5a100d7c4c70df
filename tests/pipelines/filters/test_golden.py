"""A change of what the filters do raises their version, so that stages do not take old results for theirs."""

from __future__ import annotations

from collections import Counter

from pipelines.filters.filter_rows import REASONS, VERSION
from tests.pipelines.filters import golden


def test_the_version_says_what_the_filters_do() -> None:
    head, rows = golden.read()
    assert golden.filtered(head, rows) == rows, "raise VERSION, then run python -m tests.pipelines.filters.golden"
    assert head["version"] == VERSION


def test_every_reason_is_watched() -> None:
    _, rows = golden.read()
    counts = Counter(row["reason"] for row in rows)
    assert set(counts) == {"", *REASONS}
    assert all(count >= 5 for count in counts.values()), counts
