"""Korean morphemes, from Kiwi: stems of values, and whether a word stands at the start of a token."""

from __future__ import annotations

import threading
from functools import cache, lru_cache
from typing import Any

#: Sejong tags of words that carry meaning by themselves: nouns, roots and adverbs; verbs and adjectives.
NOMINAL = ("NNG", "NNP", "XR", "MAG", "SL")
VERBAL = ("VV", "VA")


_loading = threading.Lock()


@cache
def _loaded() -> Any:
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)
    kiwi.tokenize("한 줄")  # the first sentence loads the rest of the model
    return kiwi


def _kiwi() -> Any:
    with _loading:
        return _loaded()  # two seconds the first time, so not at import


def warm_up() -> None:
    """Load Kiwi in the background, for a process that will need it and can wait for something else meanwhile."""
    threading.Thread(target=_kiwi, daemon=True).start()


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[tuple[str, str, int], ...]:
    """(form, tag, start) of each morpheme; irregular verbs keep their tag without the suffix (`VA-I` is `VA`)."""
    return tuple((token.form, token.tag.split("-")[0], token.start) for token in _kiwi().tokenize(text))


@cache
def stems(value: str) -> tuple[tuple[str, bool], ...]:
    """(stem, is a verb) of the content words of a value, two syllables or more.

    Examples:
        `혁신적인` -> 혁신; `따뜻한` -> 따뜻; `빠른` -> 빠르 (verb); `비 오는 날` -> none, each stem is one syllable.
    """
    found = []
    for form, tag, _ in tokens(value):
        verb = tag in VERBAL
        if verb and form.endswith("하") and len(form) > 2:
            form, verb = form[:-1], False  # 따뜻하/VA and 따뜻/XR + 하/XSA are one stem
        if len(form) >= 2 and (verb or tag in (*NOMINAL, *VERBAL)):
            found.append((form, verb))
    return tuple(found)


def holds(text: str, stem: str, verb: bool) -> bool:
    """Whether a text holds a stem: letter by letter within a word, or in any conjugation for a verb."""
    if not verb:
        return stem in text
    # Conjugation changes a first syllable's final consonant at most (모르다, 몰라): most lines need not be parsed.
    opening = _opening(stem[0])
    return any(_opening(letter) == opening for letter in text) and any(
        form == stem and tag in VERBAL for form, tag, _ in tokens(text)
    )


def _opening(syllable: str) -> int:
    """A syllable without its final consonant, of which there are 28."""
    return (ord(syllable) - ord("가")) // 28


def starts_noun(text: str, start: int) -> bool:
    """Whether a token starts here that is no verb, ending or particle: 모자 in `모자 하나`, not in `모자란 잠`."""
    return any(begin == start and tag[0] not in "VEJ" for _, tag, begin in tokens(text))
