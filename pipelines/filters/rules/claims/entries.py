"""The restricted wordings as patterns.

A pattern in the YAML files is a regular expression in which `<organ>` stands for a list of `words.yaml`, and `~` after
a syllable for any final consonant: `빠지~` is found in 빠지다, 빠진 and 빠집니다.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

#: The files, in the order in which their claims are looked for.
FIELDS = (
    "rank",
    "guarantee",
    "medicine",
    "food",
    "cosmetics",
    "finance",
    "household",
    "price",
    "liquor",
    "school",
    "property",
    "care",
)
FOLDER = Path(__file__).parent
REFERENCE = re.compile(r"(?<!P)<([a-z]+)>")
ANY_FINAL = re.compile("([가-힣])~")
FINALS = 28  # of a Hangul syllable, none included


@dataclass(frozen=True)
class Claim:
    """One kind of restricted wording.

    Attributes:
        name: what the evidence calls it.
        cues: every line that makes the claim holds one; empty where any line may.
        patterns: alternatives; a line makes the claim if it holds all parts of one, in any order. What a group
            `product` matches must begin with the last word of the product.
        unless: a line that this matches as well is let through.
        products, other_than: for category and product: only these, and never these.
        law: statute, article and guideline that restrict it.
        examples, fine: `product | line` that must and must not be found.
    """

    name: str
    cues: tuple[str, ...]
    patterns: tuple[tuple[re.Pattern[str], ...], ...]
    unless: re.Pattern[str] | None
    products: re.Pattern[str] | None
    other_than: re.Pattern[str] | None
    law: str
    examples: tuple[str, ...]
    fine: tuple[str, ...]


@cache
def load_claims() -> tuple[Claim, ...]:
    """All claims, in the order in which they are looked for."""
    return tuple(_claim(entry) for field in FIELDS for entry in _read(field))


@cache
def denied() -> re.Pattern[str]:
    """What a line says that does not claim but denies, warns or informs."""
    return _either(_shared()["denied"])


@cache
def exempt() -> re.Pattern[str]:
    """Products whose lines are let through: public campaigns, which name what they warn of."""
    return _either(_shared()["exempt"])


def _claim(entry: Mapping[str, Any]) -> Claim:
    of_one_part = [pattern for pattern in entry["pattern"] if isinstance(pattern, str)]
    of_several = [parts for parts in entry["pattern"] if not isinstance(parts, str)]
    alternatives = [["|".join(of_one_part)]] if of_one_part else []
    return Claim(
        name=entry["name"],
        cues=tuple(entry.get("cues", ())),
        patterns=tuple(tuple(_either([part]) for part in parts) for parts in [*alternatives, *of_several]),
        unless=_either(entry["except"]) if "except" in entry else None,
        products=_goods(entry.get("products")),
        other_than=_goods(entry.get("other_than")),
        law=entry["law"],
        examples=tuple(entry["examples"]),
        fine=tuple(entry["fine"]),
    )


def _goods(kinds: Iterable[str] | None) -> re.Pattern[str] | None:
    return _either(part for kind in kinds for part in _shared()["goods"][kind]) if kinds else None


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(spelled_out(pattern, _words()) for pattern in patterns))


@cache
def _words() -> dict[str, str]:
    words: dict[str, str] = {}
    for name, patterns in _shared()["words"].items():
        words[name] = f"(?:{'|'.join(spelled_out(pattern, words) for pattern in patterns)})"
    return words


def spelled_out(pattern: str, words: Mapping[str, str]) -> str:
    """A plain regular expression: `<time>째` with the list in its place, `빠지~` as `빠[지-짛]`."""
    whole = REFERENCE.sub(lambda name: words[name[1]], pattern)
    return ANY_FINAL.sub(lambda open_: f"[{open_[1]}-{chr(ord(open_[1]) + FINALS - 1)}]", whole)


@cache
def _shared() -> Any:
    return _read("words")


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
