"""Screens proposed products and values: which are new, well-formed and worth keeping, and why the others are not."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.planning.taxonomy import Category, Group
from pipelines.text import morphemes
from pipelines.text.frames import HANGUL
from pipelines.text.tidy import clean_value

#: Characters at most, white space included.
PRODUCT_CHARS, VALUE_CHARS = 12, 14
#: A word in Latin letters is taken for a brand.
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f'’&.-]*")
ODD = re.compile(r"[^가-힣0-9 ]")
#: Morphemes that do not tell two names apart: particles and endings (Sejong tags).
INFLECTION = ("J", "E")


@dataclass(frozen=True)
class Proposal:
    """A product or value that a teacher proposed, and what became of it.

    Attributes:
        kind: what is proposed.
        value_kind, value: empty where a product is proposed.
        status: `merged` is the same as one that is there.
        reason: empty where it is kept; `lemma` for a merged one; of a rejected one `length`, `latin`, `script` or
            `unrelated`.
        evidence: what the reason rests on; of a kept value, how the teacher spelt it, where the taxonomy's spelling
            took its place.
        score: relatedness of a value to its product, None where it was not measured.
    """

    kind: Literal["product", "value"]
    category: str
    product: str
    value_kind: str = ""
    value: str = ""
    status: Literal["kept", "merged", "rejected"] = "kept"
    reason: str = ""
    evidence: str = ""
    score: float | None = None


def lemma_key(text: str) -> str:
    """A key that is the same for texts that differ in spacing, particles or endings only.

    Examples:
        `우산의 손잡이` and `우산손잡이` -> 우산손잡이; `편안함` and `편안한` -> 편안; `캡슐커피` is no `커피 캡슐`.
    """
    parts = []
    for form, tag, _ in morphemes.tokens(text):
        if tag.startswith(INFLECTION) or (tag in ("XSA", "XSV") and form == "하"):
            continue
        # 편안하/VA + ㅁ and 편안/XR + 하/XSA + ㄴ are one lemma
        parts.append(form[:-1] if tag in morphemes.VERBAL and form.endswith("하") and len(form) > 2 else form)
    return "".join(parts) or "".join(text.split())


def merge_products(existing: Sequence[str], proposed: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """(existing products and new ones in order, pairs of proposed product and the one it is the same as).

    The same are two with one `lemma_key`; loan words in another spelling are not.
    """
    merged, duplicates = list(existing), []
    taken = {lemma_key(name): name for name in reversed(existing)}
    for name in proposed:
        key = lemma_key(name)
        if key in taken:
            duplicates.append((name, taken[key]))
        else:
            taken[key] = name
            merged.append(name)
    return merged, duplicates


def screen_values(
    proposed: Mapping[str, Sequence[str]], spellings: Sequence[str], *, category: str, product: str
) -> list[Proposal]:
    """The values proposed for a product, each kept, merged with one before it, or rejected.

    Args:
        proposed: kind -> values.
        spellings: values of the taxonomy; one with the same lemma is written as there.
    """
    known = {lemma_key(value): value for value in reversed(spellings)}
    taken: dict[str, str] = {}
    proposals = []
    for kind, value in ((kind, clean_value(text)) for kind, texts in proposed.items() for text in texts):
        proposal = _checked(Proposal("value", category, product, kind, value), value, VALUE_CHARS)
        key = lemma_key(value)
        if proposal.status == "kept" and key in taken:
            proposal = replace(proposal, status="merged", reason="lemma", evidence=taken[key])
        elif proposal.status == "kept":
            taken[key] = known.get(key, value)
            proposal = replace(proposal, value=taken[key], evidence="" if taken[key] == value else value)
        proposals.append(proposal)
    return proposals


def screen_products(taxonomy: Sequence[Category], proposed: Mapping[str, Sequence[str]]) -> list[Proposal]:
    """The products proposed for categories (name -> products), each kept, merged or rejected."""
    existing = [name for category in taxonomy for name in category.products]
    proposals = [
        _checked(Proposal("product", category, clean_value(text)), clean_value(text), PRODUCT_CHARS)
        for category, names in proposed.items()
        for text in names
    ]
    sound = [proposal.product for proposal in proposals if proposal.status == "kept"]
    merged, duplicates = merge_products(existing, sound)
    new, same = deque(merged[len(existing) :]), deque(duplicates)  # both in the order in which they were proposed
    for place, proposal in enumerate(proposals):
        if proposal.status == "rejected":
            continue
        if new and proposal.product == new[0]:
            new.popleft()
        else:
            proposals[place] = replace(proposal, status="merged", reason="lemma", evidence=same.popleft()[1])
    return proposals


def _checked(proposal: Proposal, text: str, most_chars: int) -> Proposal:
    reason, evidence = flaw(text, most_chars)
    return replace(proposal, status="rejected", reason=reason, evidence=evidence) if reason else proposal


def extended(taxonomy: Sequence[Category], proposals: Sequence[Proposal]) -> tuple[Category, ...]:
    """The taxonomy with what was kept: a product with kept values is a group of its own, with these alone.

    A new product without any is left out: what fits it is not known.
    """
    products: dict[str, list[str]] = defaultdict(list)
    own: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for proposal in proposals:
        if proposal.status == "kept" and proposal.kind == "product":
            products[proposal.category].append(proposal.product)
        elif proposal.status == "kept":
            kinds = own[proposal.product]
            kinds[proposal.value_kind] = (*kinds.get(proposal.value_kind, ()), proposal.value)
    return tuple(_extended(category, products[category.name], own) for category in taxonomy)


def _extended(category: Category, new: Sequence[str], own: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Category:
    groups = []
    for group in category.groups:
        shared = tuple(product for product in group.products if product not in own)
        groups += [replace(group, products=shared)] if shared else []
    apart = [product for product in (*category.products, *new) if product in own]
    return replace(category, groups=(*groups, *(Group(product, (product,), own[product]) for product in apart)))


def flaw(text: str, most_chars: int) -> tuple[str, str]:
    """(reason, evidence) why a product's or value's name cannot be used, empty where it can."""
    if word := LATIN.search(text):
        return "latin", word.group()
    if odd := ODD.search(text):
        return "script", odd.group()
    if not HANGUL.search(text):
        return "script", "no Hangul"
    if len(text) > most_chars:
        return "length", f"{len(text)} > {most_chars} characters"
    return "", ""
