"""One is in the singular, and all else in the plural."""

import pytest

from pipelines.text.counted import counted, first_of


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


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")]
)
def test_first_of(names: list[str], said: str) -> None:
    assert first_of(names, 2) == said
