"""One is in the singular, and all else in the plural."""

import pytest

from pipelines.text.counted import counted


@pytest.mark.field
@pytest.mark.parametrize(
    ("count", "nouns", "said"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2, ("row",), "2 rows"),
        (12345, ("row",), "12,345 rows"),
        (1, ("person", "people"), "1 person"),
        (3, ("person", "people"), "3 people"),
    ],
)
def test_counted(count: int, nouns: tuple[str, ...], said: str) -> None:
    assert counted(count, *nouns) == said
