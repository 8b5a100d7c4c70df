"""Korean morphemes, from Kiwi: stems of values, and whether a word stands at the start of a token."""

from __future__ import annotations

import re
import threading
from functools import cache, lru_cache
from typing import Any

from kiwipiepy import Kiwi

#: Sejong tags of words that carry meaning by themselves: nouns, roots and adverbs; verbs and adjectives.
NOMINAL = ("NNG", "NNP", "XR", "MAG", "SL")
VERBAL = ("VV", "VA")
#: What makes an adjective or a noun of a loanword: 스타일리시, 컬러풀, 드라마틱, 스토리텔링.
LOAN_SUFFIX = re.compile(r"(?<=..)(?:리시|리쉬|풀|틱|텔링|러스)$")
#: Stems that say nothing in a value beside others: 사용하기 쉬운, 접근 용이한.
EMPTY = frozenset({"사용", "활용", "이용", "접근"})
PARTICLE = re.compile(r"(?:은|는|이|가|을|를|의|에|에서|도|만|과|와|로|으로|이나|나|처럼|보다|까지|부터|마다)?(?!\w)")


_loading = threading.Lock()


@cache
def _loaded() -> Any:
    # Without the names of films, songs and people: the rules decide the same (7,239 lines), and it loads in a third of
    # the time.
    kiwi = Kiwi(num_workers=1, load_multi_dict=False)
    kiwi.tokenize("한 줄")  # the first sentence loads the rest of the model
    return kiwi


def kiwi() -> Any:
    """Kiwi itself, loaded once."""
    with _loading:
        return _loaded()  # a second the first time, so not at import


def warm_up() -> None:
    """Load Kiwi in the background, for a process that will need it and can wait for something else meanwhile."""
    threading.Thread(target=kiwi, daemon=True).start()


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[tuple[str, str, int], ...]:
    """(form, tag, start) of each morpheme; irregular verbs keep their tag without the suffix (`VA-I` is `VA`)."""
    return tuple((token.form, token.tag.split("-")[0], token.start) for token in kiwi().tokenize(text))


@cache
def stems(words: str) -> tuple[tuple[str, bool], ...]:
    """(stem, is a verb) of the content words of a value or a product.

    A word whose only stem has one syllable stands in many lines by chance and is left out where another word has more;
    where none has, all count together, and a single one is none.

    Examples:
        `혁신적인` -> 혁신; `따뜻한` -> 따뜻; `빠른` -> 빠르 (verb); `커피잔` -> 커피, 잔; `목 마사지` -> 마사지;
        `비 오는 날` -> 비, 오 (verb), 날; `사용하기 쉬운` -> 쉽 (verb); `스타일리시한` -> 스타일; `큰` -> none.
    """
    by_word: dict[int, list[tuple[str, bool]]] = {}
    for form, tag, start in tokens(words):
        if tag in VERBAL and form.endswith("하") and len(form) > 2:
            form, tag = form[:-1], "XR"  # 따뜻하/VA and 따뜻/XR + 하/XSA are one stem
        if tag in (*NOMINAL, *VERBAL):
            stem = LOAN_SUFFIX.sub("", form) if tag in NOMINAL else form
            by_word.setdefault(words[:start].count(" "), []).append((stem, tag in VERBAL))
    filled = {word: found for word, found in by_word.items() if any(stem not in EMPTY for stem, _ in found)}
    by_word = filled or by_word
    telling = [stem for found in by_word.values() if sum(len(form) for form, _ in found) > 1 for stem in found]
    short = [stem for found in by_word.values() for stem in found]
    return tuple(telling or (short if " " in words else ()))


def holds(text: str, stem: str, verb: bool) -> bool:
    """Whether a text holds a stem: letter by letter within a word, a short one as one; any conjugation of a verb."""
    if not verb:
        return stem in text and (len(stem) > 1 or any(form == stem and tag in NOMINAL for form, tag, _ in tokens(text)))
    # Conjugation changes a first syllable's final consonant at most (모르다, 몰라): most lines need not be parsed.
    opening = _opening(stem[0])
    if len(stem) > 1 and all(_opening(letter) != opening for letter in text):
        return False
    return any(form == stem and tag in VERBAL for form, tag, _ in tokens(text))


def _opening(syllable: str) -> int:
    """A syllable without its final consonant, of which there are 28."""
    return (ord(syllable) - ord("가")) // 28


def stands_alone(text: str, noun: str) -> bool:
    """Whether a noun begins a word of a text: 옷 in `옷이 날개`, neither in `옷걸이` nor in `새옷`."""
    return noun in text and any(
        form == noun and tag.startswith("NN") and (start == 0 or text[start - 1] == " ")
        for form, tag, start in tokens(text)
    )


def is_noun(text: str, start: int, end: int) -> bool:
    """Whether a short word stands here as a noun: 모자 in `모자 하나`, not in `모자란 잠`.

    So it does where a token starts that is no verb, ending or particle, or where only a particle follows it: Kiwi reads
    잼으로 as a form of 재다.
    """
    if (start == 0 or text[start - 1] == " ") and PARTICLE.match(text, end):
        return True
    return any(begin == start and tag[0] not in "VEJ" for _, tag, begin in tokens(text))
