"""`claim`: the line asserts what Korean advertising law allows only with proof: rank, guarantee, cure, sure profit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason

REASON = Reason(
    "claim",
    "근거 없는 주장",
    "1위, 최고, 효능, 보장처럼 근거가 있어야 쓸 수 있는 말을 했습니다.",
    "Makes a claim that would need proof, such as a rank, a superlative, an effect or a guarantee.",
)

CLAIMS = Path(__file__).parent / "claims.yaml"


@dataclass(frozen=True)
class Claim:
    """One kind of restricted wording.

    Attributes:
        name: what the evidence calls it.
        cues: plain words; every line that `pattern` matches holds one.
        pattern: for the line. What its group `product`, if any, matches must begin with the last word of the product.
        unless: a line that this matches as well is let through.
        products, other_than: for category and product: only these, and never these.
        law: statute, article and guideline that restrict it.
        examples, fine: `product | line` that must and must not be found.
    """

    name: str
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    products: re.Pattern[str] | None
    other_than: re.Pattern[str] | None
    law: str
    examples: tuple[str, ...]
    fine: tuple[str, ...]


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`최저가: 전국 최저가`, the claim and the words that make it, or None."""
    line = row["ad_copy"]
    if not _any_cue().search(line):
        return None
    goods = f"{row.get('category') or ''} {row['product']}"
    for claim in load_claims():
        if found := _words(claim, line, goods):
            return f"{claim.name}: {found}"
    return None


@cache
def load_claims(path: Path = CLAIMS) -> tuple[Claim, ...]:
    """The claims of a file, in its order."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(_claim(entry, content["kinds"]) for entry in content["claims"])


def _claim(entry: Mapping[str, Any], kinds: Mapping[str, list[str]]) -> Claim:
    goods = {
        key: _either(part for kind in entry[key] for part in kinds[kind])
        for key in ("products", "other_than")
        if key in entry
    }
    return Claim(
        name=entry["name"],
        cues=tuple(entry["cues"]),
        pattern=_either(entry["pattern"]),
        unless=_either(entry["except"]) if "except" in entry else None,
        products=goods.get("products"),
        other_than=goods.get("other_than"),
        law=entry["law"],
        examples=tuple(entry["examples"]),
        fine=tuple(entry["fine"]),
    )


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


@cache
def _any_cue() -> re.Pattern[str]:
    """Every cue in one search. All are plain words: `re` then skips to the next letter that one begins with."""
    return _either(sorted({re.escape(cue) for claim in load_claims() for cue in claim.cues}))


def _words(claim: Claim, line: str, goods: str) -> str | None:
    found = next((match for match in claim.pattern.finditer(line) if _of_product(match, goods)), None)
    if not found or (claim.unless and claim.unless.search(line)):
        return None
    if claim.products and not claim.products.search(goods):
        return None
    if claim.other_than and claim.other_than.search(goods):
        return None
    return found.group().strip()


def _of_product(match: re.Match[str], goods: str) -> bool:
    noun = match.groupdict().get("product")
    return noun is None or (bool(goods.strip()) and noun.startswith(goods.split()[-1]))
