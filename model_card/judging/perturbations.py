"""Lines with one wrong particle or ending: mistakes that no Korean writer makes, built with Kiwi's morphemes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.text.morphemes import kiwi
from pipelines.text.particles import ends_in_consonant

#: Particle -> the same after the other kind of letter: 사람을 -> 사람를.
_OTHER_FORM = {"은": "는", "는": "은", "이": "가", "가": "이", "을": "를", "를": "을", "와": "과", "과": "와"}
#: Particle -> the case that it is taken for, after a consonant and after a vowel: 향기가 좋다 -> 향기를 좋다. An object
#: is not made a subject: many a verb has room for that (구름을 덮다, 구름이 덮다).
_OTHER_CASE = {
    ("이", "JKS"): ("을", "를"),
    ("가", "JKS"): ("을", "를"),
    ("의", "JKG"): ("을", "를"),
}
_PARTICLES = {"JKS", "JKO", "JX", "JKB", "JC", "JKC"}
#: What replaces the ending of a modifier, 어 before an auxiliary, 지 before 않다: 빛나는 하루 -> 빛나러 하루.
_INSTEAD = {"ETM": ("으러", "EC"), "어": ("는", "ETM"), "지": ("기", "ETN")}


def wrong_ending(line: str, rng: random.Random) -> str | None:
    """The line with one particle or ending that is wrong there; None where it has none that could be."""
    tokens = kiwi().tokenize(line)
    perturbed = sorted({wrong for wrong in (*_particles(line, tokens), *_endings(line, tokens)) if wrong != line})
    return rng.choice(perturbed) if perturbed else None


def _particles(line: str, tokens: Sequence[Any]) -> Iterator[str]:
    """The line with each particle in its other form, or in another case."""
    for token in tokens:
        start, end = token.start, token.start + token.len
        if not start or line[start:end] != token.form:
            continue
        if token.tag in _PARTICLES and token.form in _OTHER_FORM:
            yield line[:start] + _OTHER_FORM[token.form] + line[end:]
        case = _OTHER_CASE.get((token.form, token.tag))
        if case and " " in line[end:]:  # with nothing behind it, a verb can be thought that makes it right
            after_consonant, after_vowel = case
            particle = after_consonant if ends_in_consonant(line[start - 1]) else after_vowel
            yield line[:start] + particle + line[end:]


def _endings(line: str, tokens: Sequence[Any]) -> Iterator[str]:
    """The line with the ending of each modifier, and each one before an auxiliary verb, replaced by one that cannot be.

    The word is joined anew, so that the wrong ending has the form that its stem asks for.
    """
    for place, token in enumerate(tokens[:-1]):
        auxiliary = token.tag == "EC" and tokens[place + 1].tag == "VX"
        instead = _INSTEAD.get(token.form if auxiliary else token.tag)
        if not instead:
            continue
        start, end = _word_around(line, token.start)
        word = [other for other in tokens if start <= other.start < end]
        made = kiwi().join([instead if other is token else (other.form, other.tag) for other in word])
        yield line[:start] + made.replace(" ", "") + line[end:]  # it parts words that are written together


def _word_around(line: str, place: int) -> tuple[int, int]:
    """Where the word begins and ends that has a letter at this place; Kiwi counts words by sentence."""
    return next(word.span() for word in re.finditer(r"\S+", line) if word.end() > place)
