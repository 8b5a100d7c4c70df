"""What there is to advertise and how: products with the values people look for in them, rhetorical devices, tones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import HanjulError

#: As safe as `yaml.safe_load`, and ten times as fast where libyaml is there.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: The five kinds of consumption value (Sheth, Newman & Gross 1991, "Why we buy what we buy").
KINDS = ("functional", "social", "emotional", "epistemic", "conditional")

#: One YAML file a category.
TAXONOMY = Path(__file__).parent / "categories"
CRAFT = Path(__file__).parent / "craft.yaml"


@dataclass(frozen=True)
class Group:
    """Products of one kind, and the values that fit each of them, by kind of value; kinds may be missing."""

    name: str
    products: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Category:
    """A node of the taxonomy: groups of products. A value belongs to a group, since few fit a whole category."""

    name: str
    groups: tuple[Group, ...]

    @cached_property
    def products(self) -> tuple[str, ...]:
        """The products of all groups, in order."""
        return tuple(product for group in self.groups for product in group.products)

    def values_of(self, product: str) -> Mapping[str, tuple[str, ...]]:
        """The values of one of its products, by kind."""
        return self._values[product]

    @cached_property
    def _values(self) -> dict[str, Mapping[str, tuple[str, ...]]]:
        return {product: group.values for group in self.groups for product in group.products}


@dataclass(frozen=True)
class Craft:
    """Names of devices and tones, each with the Korean sentence that tells a teacher model what it asks for."""

    devices: Mapping[str, str]
    tones: Mapping[str, str]


def load_taxonomy(folder: Path = TAXONOMY) -> tuple[Category, ...]:
    """The categories of a folder, in the order of its files' names.

    A file holds `category`, its name, and `groups`, each with `name`, `products` and `values` (kind -> words).

    Raises:
        HanjulError: there is no file, one is not like that, a kind of value is missing or unknown, something is empty,
            or a product stands twice.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise HanjulError("There are no categories", str(folder), "give a folder with a YAML file for each")
    categories = tuple(_category(path) for path in paths)
    seen: dict[str, str] = {}
    for path, category in zip(paths, categories, strict=True):
        for product in category.products:
            if product in seen:
                raise HanjulError(
                    f"{product} stands in {seen[product]} and in {category.name}", str(path), "keep it in one"
                )
            seen[product] = category.name
    return categories


def taxonomy_digest(folder: Path = TAXONOMY) -> str:
    """`sha256:<hex>` over all files: how a stage pins the taxonomy."""
    return f"sha256:{hashlib.sha256(b''.join(path.read_bytes() for path in sorted(folder.glob('*.yaml')))).hexdigest()}"


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
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - a safe one
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise HanjulError(f"The file cannot be read: {error}", str(path), "give a YAML file") from error
    if not isinstance(content, dict) or not content:
        raise HanjulError("The file holds no mapping", str(path), "give a YAML file with one entry a category")
    return content


def _category(path: Path) -> Category:
    content = _mapping(path)
    name, groups = content.get("category"), content.get("groups")
    if not isinstance(name, str) or not name or not isinstance(groups, list) or not groups:
        raise HanjulError("The file must have `category`, a name, and `groups`, a list", str(path))
    category = Category(name, tuple(_group(group, f"{path}, {place}") for place, group in enumerate(groups, 1)))
    if len(set(category.products)) < len(category.products):
        twice = next(product for product in category.products if category.products.count(product) > 1)
        raise HanjulError(f"{twice} stands twice", str(path), "remove one")
    return category


def _group(group: Any, where: str) -> Group:
    values = group.get("values") if isinstance(group, dict) else None
    if not isinstance(values, dict) or set(values) != set(KINDS):
        raise HanjulError(f"`values` must have the kinds {', '.join(KINDS)}, each with a list of words", where)
    if not isinstance(group.get("name"), str):
        raise HanjulError("A group must have a `name`", where)
    return Group(
        group["name"],
        _words(group.get("products"), f"{where}, products"),
        {kind: _words(values[kind], f"{where}, values, {kind}") for kind in KINDS},
    )


def _words(words: Any, where: str) -> tuple[str, ...]:
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise HanjulError("This must be a list of words, none empty", where, "put numbers and yes/no in quotes")
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise HanjulError(f"{twice} stands twice", where, "remove one")
    return tuple(words)
