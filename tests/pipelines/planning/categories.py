"""Categories for tests."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.planning.taxonomy import Category, Group


def one_group(name: str, products: tuple[str, ...], values: Mapping[str, tuple[str, ...]]) -> Category:
    """A category whose products share their values."""
    return Category(name, (Group(name, products, values),))
