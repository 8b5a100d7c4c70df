"""What there is to advertise and how: product categories with their consumption values, rhetorical devices, tones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import HanjulError

#: The five kinds of consumption value (Sheth, Newman & Gross 1991, "Why we buy what we buy").
KINDS = ("functional", "social", "emotional", "epistemic", "conditional")

TAXONOMY = Path(__file__).parent / "taxonomy.yaml"
CRAFT = Path(__file__).parent / "craft.yaml"


@dataclass(frozen=True)
class Category:
    """A node of the taxonomy: products that share the values people look for in them, by kind of value.

    Attributes:
        own_values: product -> kind -> values, for products that do not share those of the category. Kinds may be
            missing; of those such a product has none.
    """

    name: str
    products: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    own_values: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def values_of(self, product: str) -> Mapping[str, tuple[str, ...]]:
        """The values of one of its products, by kind."""
        return self.own_values.get(product, self.values)


@dataclass(frozen=True)
class Craft:
    """Names of devices and tones, each with the Korean sentence that tells a teacher model what it asks for."""

    devices: Mapping[str, str]
    tones: Mapping[str, str]


def load_taxonomy(path: Path = TAXONOMY) -> tuple[Category, ...]:
    """The categories of a taxonomy file, in its order.

    Raises:
        HanjulError: the file is not a mapping of category to products and values, a kind of value is missing or
            unknown, something is empty, or a product stands twice.
    """
    categories = tuple(_category(name, node, path) for name, node in _mapping(path).items())
    seen: dict[str, str] = {}
    for category in categories:
        for product in category.products:
            if product in seen:
                raise HanjulError(
                    f"{product} stands in {seen[product]} and in {category.name}", str(path), "keep it in one"
                )
            seen[product] = category.name
    return categories


def load_craft(path: Path = CRAFT) -> Craft:
    """The devices and tones of a craft file.

    Raises:
        HanjulError: `devices` or `tones` is missing, or holds something else than sentences by name.
    """
    craft = _mapping(path)
    for section in ("devices", "tones"):
        sentences = craft.get(section)
        if not isinstance(sentences, dict) or not all(isinstance(text, str) and text for text in sentences.values()):
            raise HanjulError(f"`{section}` must map names to sentences", str(path), "add it")
    return Craft(craft["devices"], craft["tones"])


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise HanjulError(f"The file cannot be read: {error}", str(path), "give a YAML file") from error
    if not isinstance(content, dict) or not content:
        raise HanjulError("The file holds no mapping", str(path), "give a YAML file with one entry a category")
    return content


def _category(name: str, node: Any, path: Path) -> Category:
    where = f"{path}, {name}"
    values = node.get("values") if isinstance(node, dict) else None
    if not isinstance(values, dict) or set(values) != set(KINDS):
        raise HanjulError(f"`values` must have the kinds {', '.join(KINDS)}, each with a list of words", where)
    return Category(
        name,
        _words(node.get("products"), f"{where}, products"),
        {kind: _words(values[kind], f"{where}, values, {kind}") for kind in KINDS},
    )


def _words(words: Any, where: str) -> tuple[str, ...]:
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise HanjulError("This must be a list of words, none empty", where, "put numbers and yes/no in quotes")
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise HanjulError(f"{twice} stands twice", where, "remove one")
    return tuple(words)
