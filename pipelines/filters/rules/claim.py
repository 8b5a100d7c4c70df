"""`claim`: the line asserts what Korean advertising law restricts: rank, guarantee, cure, sure profit, false deadline.

Few restricted lines hold a forbidden word: 펴졌어요 claims a cure of a back after a treatment, and nothing of a blouse.
So most claims are about one kind of product, and many have two parts: what is changed, and the change. See `claims/`.
What no pattern foresaw is found by the wording, which can also clear a line that a pattern found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from operator import add
from typing import Any

from pipelines.filters.limits import Limits
from pipelines.filters.reason import Reason
from pipelines.filters.rules.claims.entries import Claim, denied, exempt, load_claims
from pipelines.filters.rules.claims.wording import wording

REASON = Reason(
    "claim",
    "근거 없는 주장",
    "1위, 최고, 효능, 보장, 마감 임박처럼 법이 제한하거나 근거가 있어야 할 수 있는 말을 했습니다.",
    "Makes a claim that the law restricts or that needs proof, such as a rank, an effect, a guarantee or a deadline.",
)


#: What a pattern adds to the log-odds of the wording, and the log-odds from which a line is restricted: chosen on lines
#: by readers, each left out of the fit in turn, so that 7% of their innocent lines are found and 88% of the others.
PATTERN, LEAST = 2.0, 0.2


def check(row: Mapping[str, Any], limits: Limits) -> str | None:
    """`최저가: 전국 최저가`, the claim and the words that make it, or None.

    Where the wording alone makes the claim, the evidence is the word that speaks most for it: `말씨: 넘치던`.
    """
    line = row["ad_copy"]
    goods = f"{row.get('category') or ''} {row['product']}"
    if _is_exempt(goods):
        return None
    odds = wording().log_odds(line, goods)
    if odds + PATTERN < LEAST:  # most lines: no pattern could make up for it
        return None
    if claim := claimed(line, goods):
        return claim
    return f"말씨: {wording().strongest(line)}" if odds >= LEAST else None


def claimed(line: str, goods: str) -> str | None:
    """The first claim whose pattern a line matches and that it does not deny, with the words; or None.

    Args:
        goods: category and product.
    """
    for claim in _worth_a_look(line, goods):
        if words := find(claim, line, goods):
            return None if denied().search(line) else f"{claim.name}: {words}"
    return None


def find(claim: Claim, line: str, goods: str) -> str | None:
    """The words of a line that make a claim, whatever the product: `머리카락이 … 돋아`, or None."""
    for parts in claim.patterns:
        found = [next((match for match in part.finditer(line) if _of_product(match, goods)), None) for part in parts]
        if all(found) and not (claim.unless and claim.unless.search(line)):
            return " … ".join(match.group().strip() for match in found if match)
    return None


def _of_product(match: re.Match[str], goods: str) -> bool:
    noun = match.groupdict().get("product")
    return noun is None or (bool(goods.strip()) and noun.startswith(goods.split()[-1]))


def _worth_a_look(line: str, goods: str) -> list[Claim]:
    """The claims that can be made of a product and of which a line holds a cue: one in twenty."""
    by_cue = _names_by_cue()
    pieces = {*line, *map(add, line, line[1:])}
    cued = set().union(*(by_cue[piece] for piece in by_cue.keys() & pieces))
    return [claim for claim in _claims_on(goods) if not claim.cues or claim.name in cued]


@cache
def _names_by_cue() -> dict[str, set[str]]:
    """Names of claims by their cues, of which the first two letters are enough."""
    names: dict[str, set[str]] = {}
    for claim in load_claims():
        for cue in claim.cues:
            names.setdefault(cue[:2], set()).add(claim.name)
    return names


@lru_cache(maxsize=1 << 14)
def _is_exempt(goods: str) -> bool:
    return bool(exempt().search(goods))


@lru_cache(maxsize=1 << 14)
def _claims_on(goods: str) -> tuple[Claim, ...]:
    """The claims that can be made of a product."""
    return tuple(
        claim
        for claim in load_claims()
        if not (claim.products and not claim.products.search(goods))
        and not (claim.other_than and claim.other_than.search(goods))
    )
